"""How a failure reaches the person at nbgrader's pages, which let little of it through.

=============================  ===================================  ==================================================
where                          what nbgrader shows                  so we
=============================  ===================================  ==================================================
formgrader, any page           a banner with the exchange's root,   write the sentence behind the root of its API
                               which it calls a directory           (the page writes it as HTML: escaped)
formgrader, a dialog           our log, and a traceback             log the sentence; keep the traceback short
assignment list, the list      of an ExchangeError "The exchange    raise something else, with a short traceback that
                               directory does not exist", of        ends with the sentence
                               anything else the traceback
assignment list, submit        the traceback, in long lines         keep it short; it ends with the sentence, in lines
assignment list, submit        nothing of a warning, and asks for   let the list that follows say it
that arrived                   the list
assignment list, fetch         nothing, and asks for the list       let the list that follows say it
and fetch feedback
=============================  ===================================  ==================================================
"""

from __future__ import annotations

import html
import sys
import textwrap
import time
from dataclasses import dataclass
from typing import Any

from nbgrader.exchange import ExchangeFactory

# The assignment list asks for its list in the same request, right after what failed.
NEXT_SECONDS = 30.0

# What fits into its dialogs, which cut off longer lines.
WIDTH = 100


class NotListed(Exception):
    """What the assignment list shows in place of its list."""


@dataclass(frozen=True)
class _Swallowed:
    at: float
    message: str


_swallowed: list[_Swallowed] = []


def in_jupyter_server() -> bool:
    """Return whether this process is a Jupyter server, whose handlers block everybody while they wait for us."""
    module = sys.modules.get("jupyter_server.serverapp")
    return module is not None and bool(module.ServerApp.initialized())


def readable(operation: Any, error: Exception) -> str:
    """Return the sentence; for the assignment list in lines of their own, as it shows them below a traceback."""
    if not _of_assignment_list(operation):
        return str(error)
    lines = str(error).strip().splitlines()
    return "\n\n" + "\n".join(
        textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines
    )


def keep_swallowed(operation: Any, error: Exception) -> None:
    """Keep a failure that the assignment list does not show, for the list that it asks for next."""
    if _of_assignment_list(operation):
        _swallowed[:] = [_Swallowed(time.monotonic(), readable(operation, error))]


def swallowed(operation: Any) -> NotListed | None:
    """Return, once, the failure that the list ``operation`` has to tell, None if there is none."""
    if not _of_assignment_list(operation):
        return None
    kept = [one.message for one in _swallowed if time.monotonic() - one.at < NEXT_SECONDS]
    _swallowed.clear()
    return NotListed(kept[0]) if kept else None


def not_listed(operation: Any, error: Exception) -> Exception:
    """Return what to raise where a list failed, so that the page which asked for it shows the sentence."""
    if _of_assignment_list(operation):
        return NotListed(readable(operation, error))
    # Formgrader's API has read the root of this very object before; its page is written afterwards.
    if in_jupyter_server() and hasattr(operation.parent, "exchange_root"):
        operation.parent.exchange_root = html.escape(f"{operation.root}: {error}")
    return error


def _of_assignment_list(operation: Any) -> bool:
    """Return whether nbgrader's assignment list made this operation: only there nobody gives it a parent."""
    return in_jupyter_server() and isinstance(operation.parent, ExchangeFactory)
