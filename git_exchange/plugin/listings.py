"""What the forge said a moment ago: formgrader constructs ``List`` with every request, twenty-two times on one page.

Answers are kept for seconds per (forge, namespace, token, question), dropped by our own writes, and serve as the last
good answer while the forge is down.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from git_exchange.course.credentials import tokens
from git_exchange.errors import ForgeUnreachable, Throttled
from git_exchange.settings import Settings

_Answer = TypeVar("_Answer")
Key = tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    at: float
    answer: object
    fresh: bool = True


_kept: dict[Key, _Kept] = {}
_lock = threading.Lock()
MAX_KEPT = 200


def forget_listings() -> None:
    """Ask the forge again the next time; the answers stay as last good ones."""
    with _lock:
        for key, kept in _kept.items():
            _kept[key] = _Kept(kept.at, kept.answer, fresh=False)


def key_of(settings: Settings, *question: str) -> Key:
    """Return the key of a question for the token's owner. Raise ConfigurationError for an unsafe token file."""
    token = next(tokens(settings), None)
    who = hashlib.sha256(token.value.encode()).hexdigest() if token is not None else ""
    return (settings.url, settings.namespace, settings.identical_resubmission, who, *question)


def remembered(
    key: Key, seconds: float, ask: Callable[[], _Answer], stale: Callable[[float, ForgeUnreachable | Throttled], None]
) -> _Answer:
    """Return the kept answer if it is younger than ``seconds``, else what ``ask`` says now.

    When the forge does not answer, ``stale`` is told the age (seconds) of the older answer, which is returned.
    """
    with _lock:
        kept = _kept.get(key)
    if kept is not None and kept.fresh and time.monotonic() - kept.at < seconds:
        return kept.answer  # type: ignore[return-value]  # a key stands for one question and so for one type
    try:
        answer = ask()
    except (ForgeUnreachable, Throttled) as error:
        if kept is None:
            raise
        stale(time.monotonic() - kept.at, error)
        return kept.answer  # type: ignore[return-value]  # as above
    with _lock:
        if len(_kept) >= MAX_KEPT:
            _kept.pop(min(_kept, key=lambda old: _kept[old].at))
        _kept[key] = _Kept(time.monotonic(), answer)
    return answer
