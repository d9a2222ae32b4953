from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jupyterhub.running import free_address
from tests.jupyterhub.school import HOOKS, School, school


@pytest.fixture(scope="package")
def with_renewal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A hub that keeps and renews tokens, with a formgrader that instructors share; everybody's server runs."""
    place = tmp_path_factory.mktemp("with-renewal")
    with school(place, HOOKS / "token_from_hub.py", with_free_port(HOOKS / "shared_formgrader.py", place)) as opened:
        opened.start("ada", "bo", "cleo")
        assert opened.formgrader("ada", "release")["success"]
        yield opened


def with_free_port(piece: Path, place: Path) -> Path:
    """Return a copy of the file with a free port in place of its own, which an administrator chooses."""
    changed, count = re.subn(r"\(10101, ", f"({free_address().rpartition(':')[2]}, ", piece.read_text())
    assert count == 1
    (place / piece.name).write_text(changed)
    return place / piece.name
