from __future__ import annotations

import pytest

from git_exchange.devserver import names


@pytest.mark.parametrize("path", ["a", "student-alice", "x_40.b", "A1", "a" * 255])
def test_paths_that_gitlab_takes(path: str) -> None:
    assert names.path_problems(path, kind="project") == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "-a",
        "a-",
        "a..b",
        "a.-b",
        "a__b",
        ".a",
        "a.",
        "a.git",
        "a.atom",
        "A.GIT",
        "ä",
        "a b",
        "a/b",
        "a" * 256,
        "raw",
    ],
)
def test_paths_that_gitlab_refuses(path: str) -> None:
    assert names.path_problems(path, kind="project")
    assert names.path_problems(path, kind="group")


def test_reserved_words_differ_at_the_top() -> None:
    assert names.path_problems("admin", kind="group", is_top=True) == ["is a reserved name"]
    assert names.path_problems("admin", kind="group") == []


@pytest.mark.parametrize("name", ["Calc 101", "Ärger", "a_b.c+d-e", "\U0001f600 fun"])
def test_names_that_gitlab_takes(name: str) -> None:
    assert names.name_problems(name) == []


@pytest.mark.parametrize("name", ["", "  ", "<b>", "a/b", "-a", "a" * 256])
def test_names_that_gitlab_refuses(name: str) -> None:
    assert names.name_problems(name)


def test_a_path_is_made_of_a_name() -> None:
    assert names.path_from("Calc 101!") == "calc-101"
