"""The map that the course's staff write: which LMS user is which account on the forge. A CSV file.

``lms_user_id,username`` and, where the id in nbgrader is to be another than the user name, ``student_id``.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

from git_exchange.errors import ConfigurationError
from git_exchange.provisioning.identity import MapEntry

NEEDED = ("lms_user_id", "username")


def read_map(path: Path) -> list[MapEntry]:
    """Return the entries of the file. Raise ConfigurationError naming the line; nobody is named twice."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The map {path} cannot be read as UTF-8.") from error
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    if missing := [name for name in NEEDED if name not in (rows.fieldnames or ())]:
        raise ConfigurationError(
            f"The map {path} has no column {missing[0]}.", hint="Its first line is: lms_user_id,username,student_id"
        )
    entries = []
    for row in rows:
        said = {name: (value or "").strip() for name, value in row.items() if isinstance(value, (str, type(None)))}
        if not any(said.values()):
            continue
        if not all(said.get(name) for name in NEEDED):
            raise ConfigurationError(f"The map {path} lacks an LMS user or an account in line {rows.line_num}.")
        entries.append(MapEntry(said["lms_user_id"], said["username"], said.get("student_id", "")))
    for what, names in (
        ("LMS user", [entry.lms_user_id for entry in entries]),
        ("account", [entry.username.casefold() for entry in entries]),
        ("student id", [entry.person_id or entry.username for entry in entries]),
    ):
        if twice := [name for name, number in Counter(names).items() if number > 1]:
            raise ConfigurationError(f"The map {path} names the {what} {twice[0]} twice.")
    return entries
