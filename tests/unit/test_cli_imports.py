"""What the command line does not import before it needs it: nbgrader and what comes with it take seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each takes long to import, and asking for help or the version needs none of them.
HEAVY = {"nbgrader", "nbconvert", "nbformat", "sqlalchemy", "jupyter_server", "IPython", "git", "huey", "psycopg"}

_RUN = """
import sys
from git_exchange.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules)
"""


@pytest.mark.parametrize("words", ["--version", "--help", "roster apply --help"])
def test_help_and_version_import_neither_nbgrader_nor_a_database(words: str) -> None:
    command = [sys.executable, "-c", _RUN, *words.split()]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    imported = {name.partition(".")[0] for name in ended.stdout.splitlines()[-1].split()}
    assert "git_exchange" in imported
    assert not HEAVY & imported
