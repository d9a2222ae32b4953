"""What a newer release does to a folder: the rule alone, over all combinations of contents."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.update import NO_FILE, beside, original, plan

AT = datetime(2026, 11, 21, 17, 5, 0, tzinfo=timezone.utc)
paths = st.sampled_from(["p1.ipynb", "p2.ipynb", "data/x.csv"])
released = st.dictionaries(paths, st.sampled_from(["one", "two", "three"]))
folders = st.dictionaries(paths, st.sampled_from(["one", "two", "three", "mine", NO_FILE]))


@given(folders, st.lists(released, min_size=1, max_size=4), st.integers(-1, 3))
def test_only_what_some_release_had_is_ever_replaced_and_nothing_is_removed(
    here: dict[str, str], versions: list[dict[str, str]], number: int
) -> None:
    base = number if 0 <= number < len(versions) else None
    after = dict(here)
    for step in plan(here, versions, base):
        if step.action == "replace":
            assert here[step.path] in {version.get(step.path) for version in versions[1:]}
        if step.action == "add":
            assert step.path not in here
        if step.action in ("add", "replace"):
            after[step.path] = versions[0][step.path]
        if step.action == "beside":
            assert here[step.path] != versions[0][step.path]
    assert {path: text for path, text in here.items() if text in ("mine", NO_FILE)}.items() <= after.items()
    assert plan(after, versions, 0) == ()


@given(st.lists(released, min_size=1, max_size=4), st.integers(0, 3))
def test_a_folder_that_nobody_touched_becomes_the_newest_release(versions: list[dict[str, str]], number: int) -> None:
    base = number % len(versions)
    after = dict(versions[base])
    for step in plan(versions[base], versions, base):
        assert step.action != "beside"
        if step.action != "left":
            after[step.path] = versions[0][step.path]
    assert versions[0].items() <= after.items()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("p1.ipynb", "p1.release-20261121-170500.ipynb"),
        ("data/deep/x.tar.gz", "data/deep/x.tar.release-20261121-170500.gz"),
        ("Makefile", "Makefile.release-20261121-170500"),
        (".env", ".env.release-20261121-170500"),
    ],
)
def test_the_name_of_what_is_put_beside_tells_of_which_file_it_is_a_newer_release(path: str, name: str) -> None:
    assert beside(path, AT) == name
    assert original(name) == path


@pytest.mark.parametrize(
    "path", ["p1.ipynb", "p1.release.ipynb", "my.release-2026.ipynb", "x.release-20261121-170500/p1"]
)
def test_other_names_are_those_of_files_like_any_other(path: str) -> None:
    assert original(path) is None
