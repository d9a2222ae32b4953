from __future__ import annotations

import os
from pathlib import Path

import pytest

from git_exchange.transport import cache as cache_module
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.command import Git
from git_exchange.transport.housekeeping import tidy

from .conftest import make_commit


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache" / "forge" / "1" / "2", Git())


def filled(cache: Cache, project_id: int, last_used: float) -> Repository:
    """Return a seat with an incompressible file of about 100 kB that was last used at that time."""
    seat = cache.seat(project_id)
    make_commit(seat, noise_bin=os.urandom(100_000))
    for part in (".", "objects/pack", "refs", "packed-refs"):
        if (seat.git_dir / part).exists():
            os.utime(seat.git_dir / part, (last_used, last_used))
    return seat


def test_what_fits_stays(cache: Cache) -> None:
    seats = [filled(cache, number, number) for number in (1, 2)]
    assert 200_000 < tidy(cache, max_bytes=10_000_000) < 400_000
    assert all(seat.git_dir.is_dir() for seat in seats)


def test_the_seats_used_least_recently_go_until_all_fit(cache: Cache) -> None:
    old, older, new = filled(cache, 1, 200.0), filled(cache, 2, 100.0), filled(cache, 3, 300.0)
    assert tidy(cache, max_bytes=250_000) <= 250_000
    assert not older.git_dir.exists()
    assert not old.git_dir.exists()
    assert new.git_dir.is_dir()


def test_releases_and_records_stay_however_small_the_limit(cache: Cache) -> None:
    releases, staff, seat = cache.releases(), cache.staff(), filled(cache, 1, 1.0)
    tidy(cache, max_bytes=0)
    assert releases.git_dir.is_dir()
    assert staff.git_dir.is_dir()
    assert not seat.git_dir.exists()


def test_what_is_in_use_is_left_as_it_is(cache: Cache) -> None:
    seat = filled(cache, 1, 1.0)
    with seat.locked():
        tidy(cache, max_bytes=0)
    assert seat.git_dir.is_dir()


def test_many_packs_become_one(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_PACKS", 3)
    seat = cache.seat(1)
    commits = [make_commit(seat, a_txt=str(number).encode()) for number in range(6)]
    assert len(list(seat.git_dir.glob("objects/pack/*.pack"))) == 6
    tidy(cache, max_bytes=10_000_000)
    assert len(list(seat.git_dir.glob("objects/pack/*.pack"))) == 1
    assert len(set(commits)) == 6
