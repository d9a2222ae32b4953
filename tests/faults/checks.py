"""What holds however an operation ends."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from git_exchange.errors import GitExchangeError
from tests.unit.school import School

_Result = TypeVar("_Result")
# With the tests' limits; a machine that does other things too is allowed for.
BOUND_SECONDS = 20.0
SERVERS_PATHS = ("/repositories/", "/var/lib", "gitea-repositories", "Traceback")


def attempted(
    school: School, action: Callable[[], _Result], *, bound: float = BOUND_SECONDS
) -> _Result | GitExchangeError:
    """Return the result, or the error of our own tree with all that an error has to have; any other is a defect."""
    started = time.monotonic()
    try:
        result: _Result | GitExchangeError = action()
    except GitExchangeError as error:
        check_words(school, str(error))
        assert len(error.message) > 15, error.message
        assert error.hint, f"no hint: {type(error).__name__}: {error}"
        result = error
    assert time.monotonic() - started < bound
    return result


def check_words(school: School, text: str) -> None:
    """Check that what people read holds no secret and no path of the server."""
    for token in (*school.tokens.values(), school.admin):
        assert token.value not in text
        assert token.basic_authorization() not in text
        assert token.basic_authorization().rpartition(" ")[2] not in text
    for path in SERVERS_PATHS:
        assert path not in text, text


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below the folder with what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Check that the folder is the same afterwards."""
    before = content(folder)
    yield
    assert content(folder) == before


def nothing_left(root: Path) -> None:
    """Check that no journal or old copy is left; new folders of who was killed block nobody and go a day later."""
    area = root / ".git-exchange"
    left = [
        path for name in ("journal", "aside", "trash") for path in (area / name).glob("*") if path.suffix != ".part"
    ]
    assert not left, left


def harm(repository: Path, damage: str) -> None:
    """Damage a bare repository of the cache."""
    if damage == "objects":
        for pack in repository.rglob("*.pack"):
            pack.chmod(0o600)
            pack.write_bytes(b"PACK" + bytes(64))
    elif damage == "truncated packs":
        for pack in repository.rglob("*.pack"):
            pack.chmod(0o600)
            pack.write_bytes(pack.read_bytes()[:-20])
    elif damage == "refs":
        shutil.rmtree(repository / "refs")
        (repository / "packed-refs").write_text("nonsense\n")
    elif damage == "configuration":
        (repository / "config").write_text("[core\n= ?")
    elif damage == "everything":
        shutil.rmtree(repository)
    else:
        shutil.rmtree(repository)
        repository.write_text("in the way")
