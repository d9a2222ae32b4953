from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from git_exchange.errors import NotFound
from git_exchange.forge.gitea.names import MAX_NAME, Names, organisation, path_in
from git_exchange.rules import layout

VALID = re.compile(r"(?!.*[-._]{2})[0-9a-z](?:[-._0-9a-z]*[0-9a-z])?")
components = st.text(
    st.characters(exclude_characters="/", categories=None, exclude_categories=["Cs"]), min_size=1, max_size=12
)
tricky = st.text(alphabet="abzxh019-_.A", min_size=1, max_size=10)
paths = st.lists(components | tricky, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("teaching/cs101", "teaching.cs101"),
        ("teaching/2026/x_43_53101", "teaching.2026.x_43_53101"),
        ("Teaching/cs101", "z-x_54eaching.cs101"),
        ("teaching/intro.2026", "teaching.z-xintro_2e2026"),
        ("teaching/z-xa", "teaching.z-xz_2dxa"),
        ("teaching/png", "teaching.z-x_70ng"),
        ("api", "z-x_61pi"),
        ("manifest/json", "z-x_6danifest.json"),
    ],
)
def test_a_path_has_one_readable_name(path: str, name: str) -> None:
    assert organisation(path) == name
    assert path_in(name) == path
    assert path_in(name.upper()) == path


@given(paths)
@example("a/b" * 30)
def test_every_name_is_one_that_the_forge_takes(path: str) -> None:
    name = organisation(path)
    assert len(name) <= MAX_NAME
    assert VALID.fullmatch(name)
    assert not name.endswith((".keys", ".gpg", ".rss", ".atom", ".png", ".git"))


@given(paths, paths)
@example("a/b", "a.b")
@example("a", "A")
@example("x/41", "A")
@example("z-x_41", "A")
def test_different_paths_have_different_names(one: str, other: str) -> None:
    assert (organisation(one) == organisation(other)) == (one == other)


@given(paths)
def test_a_name_leads_back_to_its_path(path: str) -> None:
    name = organisation(path)
    if not name.startswith("z-h"):
        assert path_in(name) == path
    names = Names("teaching")
    assert names.path(names.organisation(path), "") == path


def test_a_long_name_leads_back_by_the_course_in_the_description() -> None:
    course_id = "Introduction to Scientific Programming"
    path = layout.group_path("teaching/2026", course_id)
    name = organisation(path)
    assert name.startswith("z-h")
    assert path_in(name, layout.describe_course(course_id, "A title"), "teaching/2026") == path
    assert path_in(name, layout.describe_course("Another course", ""), "teaching/2026") == name
    assert path_in(name, "", "teaching/2026") == name


@pytest.mark.parametrize("name", ["-x", "a__b", "z-x", "z-x_41_", "z-x_ff", "z-xplain", "a.Z-x_41 "])
def test_a_name_that_is_none_of_ours_is_its_own_path(name: str) -> None:
    names = Names("teaching")
    assert path_in(name) == name
    assert names.organisation(names.path(name, "")) == name


@pytest.mark.parametrize("path", ["", "/", "a//b", "/a"])
def test_an_empty_component_names_no_group(path: str) -> None:
    with pytest.raises(NotFound):
        Names("teaching").organisation(path)


def test_the_namespace_and_what_it_lies_in_hold_courses_only() -> None:
    names = Names("teaching/2026")
    assert names.is_namespace("teaching")
    assert names.is_namespace("teaching/2026")
    assert not names.is_namespace("teach")
    assert not names.is_namespace("teaching/2026/cs101")
    assert not names.is_namespace("teaching/2027")
