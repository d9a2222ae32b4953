from __future__ import annotations

import pytest

from git_exchange.forge.gitea.versions import Version, concern, parse


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("1.27.3", Version("gitea", (1, 27, 3))),
        ("28.1.0", Version("gitea", (28, 1, 0))),
        ("1.26.0+rc0-5-gabcdef", Version("gitea", (1, 26, 0))),
        ("16.0.5+gitea-1.22.0", Version("forgejo", (16, 0, 5))),
        ("17.0.0-dev-12-abc+gitea-1.22.0", Version("forgejo", (17, 0, 0))),
        ("development", None),
        ("", None),
        ("17.10", None),
    ],
)
def test_the_two_are_told_apart_by_how_they_write_versions(said: str, version: Version | None) -> None:
    assert parse(said) == version


@pytest.mark.parametrize("said", ["1.27.1", "1.27.3", "28.1.0", "15.0.8+gitea-1.22.0", "16.0.4+gitea-1.22.0"])
def test_versions_without_known_holes_are_no_concern(said: str) -> None:
    assert concern(said) is None


@pytest.mark.parametrize(
    "said", ["1.24.6", "1.27.0", "15.0.7+gitea-1.22.0", "16.0.3+gitea-1.22.0", "11.0.1+gitea-1.22.0"]
)
def test_versions_below_the_floor_fail_in_one_line(said: str) -> None:
    found = concern(said)
    assert found is not None
    assert found.state == "failed"
    assert "\n" not in found.detail + found.hint
    assert "Upgrade" in found.hint


def test_an_unknown_version_is_a_warning() -> None:
    found = concern("main")
    assert found is not None
    assert found.state == "warning"
