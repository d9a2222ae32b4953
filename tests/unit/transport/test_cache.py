from __future__ import annotations

import logging
import shutil
import stat
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from git_exchange.errors import CacheCorrupt, GitTimeout
from git_exchange.transport import cache as cache_module
from git_exchange.transport.cache import Cache, Repository, cache_root, repack
from git_exchange.transport.command import Git
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import has_commit, list_tree, read_blob
from git_exchange.transport.push import push

from .conftest import REF, Server, make_commit, plain_git

_Result = TypeVar("_Result")


def _in_repository(
    cache: Cache, find: Callable[[Cache], Repository], action: Callable[[Repository], _Result]
) -> _Result:
    """Use a copy as operations do: under its lock, and once more after a damaged one was rebuilt."""
    for last in (False, True):
        repository = find(cache)
        try:
            with repository.locked(10):
                return action(repository)
        except CacheCorrupt:
            if last:
                raise
            cache.rebuild(repository)
    raise AssertionError


def _contents(repository: Repository, commit: str) -> list[bytes]:
    return [read_blob(repository, entry.oid, 10**7) for entry in list_tree(repository, commit)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "forge" / "1" / "2"


def test_forges_accounts_and_groups_have_separate_folders(tmp_path: Path) -> None:
    roots = {
        cache_root(tmp_path, origin, account, group)
        for origin in ("https://a.example.edu:443", "https://a.example.edu:8443", "http://a.example.edu:443")
        for account in (1, 2)
        for group in (1, 2)
    }
    assert len(roots) == 12
    assert cache_root(tmp_path, "https://a.example.edu:443", 5, 7) == tmp_path / "https_a.example.edu_443" / "5" / "7"
    assert cache_root(tmp_path, "https://[::1]:443", 5, 7).relative_to(tmp_path).parts[1:] == ("5", "7")


def test_making_a_cache_touches_nothing(root: Path, git: Git) -> None:
    Cache(root, git)
    assert not root.exists()


def test_nobody_else_can_look_into_the_copies(root: Path, cache: Cache) -> None:
    cache.seat(1)
    for folder in (root, root.parent, root.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_seat_borrows_from_the_releases(cache: Cache) -> None:
    commit = make_commit(cache.releases(), a=b"release")
    assert has_commit(cache.seat(1), commit)
    assert not has_commit(cache.staff(), commit)


def test_asking_again_gives_the_same_copy(cache: Cache) -> None:
    commit = make_commit(cache.seat(1), a=b"1")
    assert has_commit(cache.seat(1), commit)
    assert not has_commit(cache.seat(2), commit)


def test_the_folder_can_be_moved_as_a_whole(root: Path, cache: Cache, git: Git, tmp_path: Path) -> None:
    commit = make_commit(cache.releases(), a=b"release")
    cache.seat(1)
    root.rename(tmp_path / "moved")
    assert has_commit(Cache(tmp_path / "moved", git).seat(1), commit)


def test_many_at_once_make_one_copy(root: Path, git: Git) -> None:
    together = threading.Barrier(8)

    def make(_: int) -> Path:
        together.wait()
        return Cache(root, git).seat(1).git_dir

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1
    assert sorted(path.name for path in (root / "seats").iterdir()) == ["1.git", "1.lock"]


def test_a_half_made_copy_is_made_again(cache: Cache) -> None:
    repository = cache.staff()
    (repository.git_dir / "HEAD").unlink()
    assert (cache.staff().git_dir / "HEAD").is_file()
    make_commit(cache.staff(), a=b"1")


def test_a_copy_in_use_keeps_others_out_until_their_patience_ends(cache: Cache) -> None:
    repository = cache.staff()
    with (
        repository.locked(),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(GitTimeout, match="Another program"),
    ):
        pool.submit(_hold, repository, 0.1).result()
    _hold(repository, 0.1)


def _hold(repository: Repository, timeout: float) -> None:
    with repository.locked(timeout):
        pass


def test_different_copies_do_not_wait_for_each_other(cache: Cache) -> None:
    with cache.seat(1).locked(), cache.seat(2).locked(), cache.releases().locked():
        pass


@pytest.fixture
def served(server: Server, seat: Repository) -> str:
    commit = make_commit(seat, ps1_ipynb=b"work")
    push(seat, server.url("alice"), commit, REF)
    return commit


def test_deleting_everything_between_two_uses_loses_nothing(
    server: Server, cache: Cache, root: Path, served: str
) -> None:
    def read(repository: Repository) -> list[bytes]:
        return _contents(repository, fetch(repository, server.url("alice"), [REF])[REF])

    assert _in_repository(cache, lambda c: c.seat(9), read) == [b"work"]
    shutil.rmtree(root.parent.parent)
    assert _in_repository(cache, lambda c: c.seat(9), read) == [b"work"]


def test_deleting_everything_in_the_middle_loses_nothing(server: Server, cache: Cache, root: Path, served: str) -> None:
    times: list[int] = []

    def read(repository: Repository) -> list[bytes]:
        commit = fetch(repository, server.url("alice"), [REF])[REF]
        if not times:
            shutil.rmtree(root.parent.parent)
        times.append(1)
        return _contents(repository, commit)

    assert _in_repository(cache, lambda c: c.seat(9), read) == [b"work"]
    assert len(times) == 2


@pytest.mark.parametrize("damage", ["HEAD", "config", "objects/info/alternates", "objects/pack"])
def test_damage_of_any_kind_is_mended_by_rebuilding(server: Server, cache: Cache, served: str, damage: str) -> None:
    def read(repository: Repository) -> list[bytes]:
        return _contents(repository, fetch(repository, server.url("alice"), [REF])[REF])

    repository = cache.seat(9)
    _in_repository(cache, lambda c: c.seat(9), read)
    target = repository.git_dir / damage
    if target.is_dir():
        for file in target.iterdir():
            file.chmod(0o600)
            file.write_bytes(b"")
    else:
        target.write_bytes(b"\0nonsense [")
    assert _in_repository(cache, lambda c: c.seat(9), read) == [b"work"]


def test_a_seat_whose_releases_are_damaged_gets_rid_of_those_too(cache: Cache) -> None:
    commit = make_commit(cache.releases(), a=b"release" * 100)
    seat = cache.seat(1)
    (pack,) = (cache.releases().git_dir / "objects" / "pack").glob("*.pack")
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:12] + bytes(100))
    with pytest.raises(CacheCorrupt):
        _contents(seat, commit)
    cache.rebuild(seat)
    assert not has_commit(cache.seat(1), commit)
    assert list((cache.releases().git_dir / "objects" / "pack").iterdir()) == []


def test_releases_that_are_whole_survive_the_rebuilding_of_a_seat(cache: Cache) -> None:
    commit = make_commit(cache.releases(), a=b"release")
    cache.rebuild(cache.seat(1))
    assert has_commit(cache.seat(1), commit)


def test_a_folder_that_cannot_be_made_is_replaced_by_a_temporary_one(
    tmp_path: Path, git: Git, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    caplog.set_level(logging.WARNING)
    first = Cache(tmp_path / "file" / "cache", git).seat(1)
    make_commit(first, a=b"1")
    assert Cache(tmp_path / "file" / "cache", git).seat(1).git_dir == first.git_dir
    assert not first.git_dir.is_relative_to(tmp_path / "file")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert stat.S_IMODE(first.git_dir.parent.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert not Cache(root, git).staff().git_dir.is_relative_to(root)


def test_a_full_disk_moves_the_copies_to_a_temporary_folder(
    server: Server, cache: Cache, root: Path, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_has_room", lambda _: False)

    def read(repository: Repository) -> list[bytes]:
        if repository.git_dir.is_relative_to(root):
            raise CacheCorrupt("No space left on device")
        return _contents(repository, fetch(repository, server.url("alice"), [REF])[REF])

    assert _in_repository(cache, lambda c: c.seat(9), read) == [b"work"]


def test_a_disk_too_full_for_an_empty_copy_is_replaced_by_a_temporary_folder(
    cache: Cache, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = make_commit(cache.releases(), a=b"1")
    run = Git.run

    def full(self: Git, arguments: Sequence[str], *, git_dir: Path | None, **options: Any) -> bytes:
        if arguments[0] == "init" and git_dir is not None and git_dir.is_relative_to(root):
            raise CacheCorrupt("No space left on device")
        return run(self, arguments, git_dir=git_dir, **options)

    monkeypatch.setattr(Git, "run", full)
    with pytest.raises(CacheCorrupt):
        cache.seat(1)
    monkeypatch.setattr(cache_module, "_has_room", lambda _: False)
    seat = cache.seat(1)
    assert not seat.git_dir.is_relative_to(root)
    make_commit(seat, a=b"2")
    assert not has_commit(seat, release)
    assert cache.releases().git_dir.parent == seat.git_dir.parent.parent


def test_a_disk_with_room_is_kept_after_damage(cache: Cache, root: Path) -> None:
    cache.rebuild(cache.staff())
    assert cache.staff().git_dir.is_relative_to(root)


def test_many_packs_become_one_and_nothing_is_dropped(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_PACKS", 3)
    repository = cache.staff()
    commits = [make_commit(repository, a=str(number).encode()) for number in range(5)]
    plain_git("update-ref", "refs/forge/submit/ps1", commits[0], git_dir=repository.git_dir)
    (repository.git_dir / "objects" / "pack" / "tmp_pack_abc").write_bytes(b"left behind")
    assert repack(repository)
    assert len(list((repository.git_dir / "objects" / "pack").glob("*.pack"))) == 1
    assert not (repository.git_dir / "objects" / "pack" / "tmp_pack_abc").exists()
    assert all(_contents(repository, commit) for commit in commits)
    assert not repack(repository)


def test_repacking_a_seat_does_not_copy_the_releases(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_PACKS", 0)
    release = make_commit(cache.releases(), big=bytes(range(256)) * 1000)
    seat = cache.seat(1)
    commit = make_commit(seat, release, small=b"1")
    assert repack(seat)
    assert _contents(seat, commit) == [b"1"]
    shutil.rmtree(cache.releases().git_dir)
    cache.releases()
    assert not has_commit(seat, release)
