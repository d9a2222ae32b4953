"""For JupyterHub's configuration: who signs in to the hub for the first time gets the project within a minute.

The hub only writes a file. It holds no token of the forge's, waits for nothing, and a sign-in never fails because of
this. ``git-exchange-roster@COURSE.path`` sees the file and runs the roster.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

# The hub's process has to be allowed to write here: see git-exchange.tmpfiles.
SIGNED_IN = Path("/run/git-exchange/signed-in")


def ask_for_the_roster(authenticator: Any, handler: Any, authentication: dict[str, Any]) -> dict[str, Any]:
    """Ask for a run of the roster, and let the person in (JupyterHub's ``Authenticator.post_auth_hook``)."""
    try:
        SIGNED_IN.write_text(authentication["name"] + "\n", encoding="utf-8")
    except OSError as error:
        logging.getLogger("git-exchange").warning("The roster was not asked for: %s", error)
    return authentication


if "get_config" in globals():  # not where a test reads this file
    c = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub gives it
    c.Authenticator.post_auth_hook = ask_for_the_roster
