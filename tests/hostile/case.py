"""What a hostile submission is to the tests: how it is built, and what has to become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.plumbing import Bare

Build = Callable[[Bare], str]

# What our git says of objects that it does not let in; the attempt is failed as a whole then.
CHECKS = "failed git's checks"


@dataclass(frozen=True)
class Case:
    """One hostile submission.

    ``build`` makes it and returns the commit. ``left_out`` maps names as they are shown to a word of the reason;
    ``kept`` are the files that are written beside ``p1.ipynb`` (None: not even that one). ``fails`` is in the reason
    if the attempt is failed as a whole; git's own checks do that to most of what ``left_out`` would catch.
    ``refused`` says that the forge does not take the push, so that it is put on the forge's disk instead; without
    ``branch`` it is not even there one.
    """

    name: str
    build: Build
    left_out: tuple[tuple[str, str], ...] = ()
    kept: tuple[str, ...] | None = ()
    fails: str = ""
    refused: bool = False
    branch: bool = True


def leaves_out(
    name: str, path: bytes, shown: str, reason: str, *, checks: bool = False, mode: bytes = b"100644"
) -> Case:
    """Return the case of one file that must not be written; with ``checks`` git's own would stop it before."""

    def build(bare: Bare) -> str:
        return bare.commit(bare.work(bare.file(path, mode=mode)))

    return Case(name, build, ((shown, reason),), fails=CHECKS if checks else "", refused=checks)


def keeps(name: str, *paths: bytes, data: bytes = b"hostile\n", mode: bytes = b"100644") -> Case:
    """Return the case of files that look dangerous and are written as they are."""

    def build(bare: Bare) -> str:
        return bare.commit(bare.work(*(bare.file(path, data, mode) for path in paths)))

    return Case(name, build, kept=tuple(path.decode() for path in paths))


def fails(name: str, build: Build, words: str, *, refused: bool = False) -> Case:
    """Return the case of a submission that is failed as a whole, for a reason that holds ``words``."""
    return Case(name, build, kept=None, fails=words, refused=refused)
