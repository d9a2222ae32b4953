"""The hook and ``files/`` on the table of names that both know, each name in a real tree."""

from __future__ import annotations

import os
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.files import paths
from tests.hostile.plumbing import FOLDER, MODULE, NOWHERE, Bare, Entry
from tests.path_cases import CASES, PathCase


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    """Give a repository without branches, in which every object is a new one."""
    return Bare(tmp_path_factory.mktemp("names") / "bare")


def tree(bare: Bare, entries: list[tuple[bytes, bytes]]) -> str:
    """Write a tree with everything at its path."""
    here: list[Entry] = []
    below: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for mode, path in entries:
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, []).append((mode, rest))
        else:
            here.append((mode, name, NOWHERE if mode == MODULE else bare.blob()))
    return bare.tree(*here, *((FOLDER, name, tree(bare, inside)) for name, inside in below.items()))


def judged(hook: ModuleType, bare: Bare, commit: str) -> list[tuple[bytes, str]]:
    """Return what the hook finds in a commit, as pairs of path and reason."""
    environment = {"PATH": os.environ["PATH"], "GIT_DIR": str(bare.folder), "GIT_CONFIG_NOSYSTEM": "1"}
    git = hook.Git(environment)
    found = hook.Check(git, hook.LIMITS)
    try:
        found.push([commit], "")
    except hook.Refused as error:
        found.findings.append(error.finding)
    finally:
        git.close()
    return [(finding.path, finding.reason) for finding in found.findings]


def test_the_table_says_why_where_the_two_differ() -> None:
    assert all(bool(case.because) == (bool(case.files) != bool(case.hook)) for case in CASES)
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_hook_refuses_what_the_table_says_and_names_the_file(hook: ModuleType, bare: Bare, case: PathCase) -> None:
    found = judged(hook, bare, bare.commit(tree(bare, list(case.entries))))
    if not case.hook:
        assert found == []
        return
    ((path, reason),) = found
    assert case.hook in reason
    assert path == b"" if "git could not" in reason else case.path.startswith(path)


@given(st.binary(max_size=30) | st.text(st.sampled_from("./\\.gitGIT~1: \u200c\x00a\x7f"), max_size=10).map(str.encode))
def test_the_hook_and_files_agree_on_any_name(hook: ModuleType, name: bytes) -> None:
    if b"/" not in name:
        assert (hook.name_problem(name) is None) == (paths.problem(name) is None)


@given(st.text(max_size=30))
def test_both_take_the_same_names_for_alike(hook: ModuleType, text: str) -> None:
    assert hook.caseless(text) == paths.caseless(text)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_both_show_names_in_the_same_harmless_way(hook: ModuleType, path: bytes) -> None:
    assert hook.shown(path) == paths.display(path) or len(paths.display(path)) > hook.MAX_SHOWN


@given(st.binary(max_size=100_000))
def test_what_is_shown_is_short_and_on_one_line(hook: ModuleType, path: bytes) -> None:
    assert len(hook.shown(path)) <= hook.MAX_SHOWN + 3
    assert len(hook.shown(path).splitlines()) <= 1
