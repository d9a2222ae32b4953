"""Read the roster that a path names, by what kind of file it is."""

from __future__ import annotations

from pathlib import Path

from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.sources.csv_file import read_csv
from git_exchange.provisioning.sources.lms_file import read_lms, read_lms_file


def read_roster(path: Path) -> Roster:
    """Return the roster of a CSV file, or of the LMS that a TOML file names. Raise ConfigurationError, LmsError."""
    return read_lms(read_lms_file(path)) if path.suffix.lower() == ".toml" else read_csv(path)
