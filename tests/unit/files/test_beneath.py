"""Opening below a folder: never through a link, never outside."""

import os
from pathlib import Path

import pytest

from git_exchange.files import beneath
from git_exchange.files.beneath import open_beneath

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@pytest.fixture(params=["by descriptor", "by name"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(beneath, "_HAS_DIR_FD", request.param == "by descriptor")
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def put(root: Path, *parts: str, directory_mode: int | None = 0) -> None:
    descriptor = open_beneath(root, parts, CREATE, directory_mode=directory_mode)
    os.write(descriptor, b"mine")
    os.close(descriptor)


def test_missing_folders_are_made_when_asked(root: Path) -> None:
    put(root, "a", "b", "c")
    put(root, "a", "b", "d")
    assert (root / "a/b/c").read_bytes() == b"mine"
    with pytest.raises(FileNotFoundError):
        put(root, "x", "y", directory_mode=None)
    assert not (root / "x").exists()


def test_the_umask_holds_for_what_is_made(root: Path) -> None:
    before = os.umask(0o077)
    try:
        put(root, "a", "b")
    finally:
        os.umask(before)
    assert (root / "a").stat().st_mode & 0o777 == 0o700
    assert (root / "a/b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "parts", [("link", "x"), ("a", "link", "x"), ("filelink",), ("dangling",), ("loop", "loop", "a", "x")]
)
def test_no_link_is_followed(root: Path, parts: tuple[str, ...]) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs")
    (root / "a").mkdir()
    (root / "link").symlink_to(outside)
    (root / "a" / "link").symlink_to(outside)
    (root / "filelink").symlink_to(outside / "file")
    (root / "dangling").symlink_to(outside / "new")
    (root / "loop").symlink_to(".")
    for flags in (CREATE, os.O_RDONLY, os.O_WRONLY | os.O_TRUNC | os.O_CREAT):
        with pytest.raises(OSError):
            open_beneath(root, parts, flags, directory_mode=0)
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "theirs"


@pytest.mark.parametrize("parts", [(), ("",), ("..", "x"), ("a", ".."), (".",), ("a/b",), ("/etc", "x")])
def test_what_is_no_path_below_is_refused(root: Path, parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="below"):
        open_beneath(root, parts, CREATE, directory_mode=0)


def test_a_file_in_the_way_of_a_folder_is_an_error(root: Path) -> None:
    put(root, "a")
    with pytest.raises(OSError):
        put(root, "a", "b")


def open_descriptors() -> int:
    return sum(_is_open(number) for number in range(256))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_no_descriptor_is_left_open(root: Path) -> None:
    before = open_descriptors()
    put(root, "a", "b", "c")
    with pytest.raises(OSError):
        put(root, "a", "b", "c")
    with pytest.raises(OSError):
        put(root, "a", "b", "c", "d")
    after = open_descriptors()
    assert after == before
