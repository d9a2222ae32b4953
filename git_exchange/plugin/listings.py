"""What the forge said a moment ago: formgrader constructs ``List`` with every request, twenty-two times on one page.

Answers are kept for seconds per (forge, namespace, token, question), dropped by our own writes, and serve as the last
good answer while the forge is down. That it is down is kept for seconds, too, for all questions together: each may take
as long as a time-out, and a page asks several. Who we are and where a course lies is asked once for all of them.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from git_exchange.course.course import Course
from git_exchange.course.credentials import tokens
from git_exchange.errors import ForgeUnreachable, GitExchangeError, GitTimeout, RemoteUnreachable, Throttled
from git_exchange.settings import Settings

OUTAGES = (ForgeUnreachable, Throttled, RemoteUnreachable, GitTimeout)

_Answer = TypeVar("_Answer")
Key = tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    at: float
    answer: object
    fresh: bool = True


@dataclass(frozen=True)
class _Outage:
    at: float
    error: GitExchangeError


@dataclass(frozen=True)
class _Opened:
    at: float
    course: Course


_kept: dict[Key, _Kept] = {}
_outages: dict[Key, _Outage] = {}
_opened: dict[Key, _Opened] = {}
_writes = 0
_Entry = TypeVar("_Entry", _Kept, _Outage, _Opened)
_lock = threading.Lock()
MAX_KEPT = 200
# So many parts of a key say which forge it is, and as whom.
WHERE = 4
# A forge that did not answer is left in peace for so many seconds.
RESPITE = 5.0


def forget_listings() -> None:
    """Ask the forge again the next time; the answers stay as last good ones."""
    global _writes  # noqa: PLW0603 - one memory for the process
    with _lock:
        _writes += 1
        _outages.clear()
        _opened.clear()
        for key, kept in _kept.items():
            _kept[key] = _Kept(kept.at, kept.answer, fresh=False)


def key_of(settings: Settings, *question: str) -> Key:
    """Return the key of a question for the token's owner. Raise ConfigurationError for an unsafe token file."""
    token = next(tokens(settings), None)
    who = hashlib.sha256(token.value.encode()).hexdigest() if token is not None else ""
    return (settings.url, settings.namespace, settings.identical_resubmission, who, *question)


def remembered(
    key: Key, seconds: float, ask: Callable[[], _Answer], stale: Callable[[float, GitExchangeError], None]
) -> _Answer:
    """Return the kept answer if it is younger than ``seconds``, else what ``ask`` says now.

    When the forge does not answer, ``stale`` is told the age (seconds) of the older answer, which is returned.
    """
    where = key[:WHERE]
    with _lock:
        kept, outage, writes = _kept.get(key), _outages.get(where), _writes
    if kept is not None and kept.fresh and time.monotonic() - kept.at < seconds:
        return kept.answer  # type: ignore[return-value]  # a key stands for one question and so for one type
    try:
        if outage is not None and time.monotonic() - outage.at < RESPITE:
            raise outage.error
        answer = ask()
    except OUTAGES as error:
        if outage is None or error is not outage.error:
            _keep(_outages, where, _Outage(time.monotonic(), error))
        if kept is None:
            raise
        stale(time.monotonic() - kept.at, error)
        return kept.answer  # type: ignore[return-value]  # as above
    # What was asked before our own write may not know of it.
    _keep(_kept, key, _Kept(time.monotonic(), answer, fresh=writes == _writes))
    with _lock:
        _outages.pop(where, None)
    return answer


def of_course(key: Key, seconds: float, open_course: Callable[[], Course], ask: Callable[[Course], _Answer]) -> _Answer:
    """Return what ``ask`` says of a course that was opened less than ``seconds`` ago, or else is opened now."""
    with _lock:
        # Taken out: one that failed is not used again, and one that hangs is in nobody's way.
        opened = _opened.pop(key, None)
    if opened is None or time.monotonic() - opened.at >= seconds:
        opened = _Opened(time.monotonic(), open_course())
    answer = ask(opened.course)
    _keep(_opened, key, opened)
    return answer


def _keep(memory: dict[Key, _Entry], key: Key, entry: _Entry) -> None:
    with _lock:
        if len(memory) >= MAX_KEPT:
            memory.pop(min(memory, key=lambda old: memory[old].at))
        memory[key] = entry
