"""Names for arbitrary ids: reversible, distinct, valid on every forge and in git."""

import hashlib
import os
import re
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from git_exchange.rules import slug

# What people really have as ids, and what they could have.
ALPHABETS = [
    st.characters(codec="ascii", min_codepoint=32, max_codepoint=126),
    st.sampled_from("abcXYZ019 @+/._-~^:?*[]\\%#&=!"),
    st.sampled_from("äöüÄßéèñçøåİ\u0131\u017fK"),
    st.sampled_from("学生作业数学日本語한국어"),
    st.sampled_from("😀🎓👩\u200d🔬"),
    st.characters(exclude_categories=["Cs"]),
]
IDS = st.one_of(*[st.text(alphabet, min_size=1, max_size=500) for alphabet in ALPHABETS])
SHORT_IDS = st.one_of(*[st.text(alphabet, min_size=1, max_size=6) for alphabet in ALPHABETS])
# Written down here a second time, from the forges' documentation: the code's own list must not judge itself.
GITLAB_PROJECT_WORDS = [
    "-",
    "badges",
    "blame",
    "blob",
    "builds",
    "commits",
    "create",
    "create_dir",
    "edit",
    "environments/folders",
    "files",
    "find_file",
    "gitlab-lfs/objects",
    "info/lfs/objects",
    "new",
    "preview",
    "raw",
    "refs",
    "tree",
    "update",
    "wikis",
]
GITLAB_GROUP_WORDS = [
    "admin",
    "api",
    "assets",
    "dashboard",
    "explore",
    "favicon.ico",
    "files",
    "groups",
    "health_check",
    "help",
    "import",
    "login",
    "oauth",
    "profile",
    "projects",
    "public",
    "robots.txt",
    "s",
    "search",
    "sitemap",
    "snippets",
    "unsubscribe",
    "uploads",
    "users",
    "v2",
]
GITEA_WORDS = [
    "admin",
    "api",
    "assets",
    "explore",
    "ghost",
    "issues",
    "login",
    "org",
    "pulls",
    "repo",
    "user",
    "v2",
    "new",
    "notifications",
]
HAND_PICKED = [
    "alice",
    "Alice",
    "ALICE",
    "a",
    "A",
    "-",
    "--",
    "-alice",
    ".alice",
    "alice.",
    "a..b",
    "a--b",
    "a.-b",
    "a/b",
    "../a",
    "alice@uni.edu",
    "alice+x@uni.edu",
    "ps 1",
    "Problem Set 1",
    "ps.01",
    "xyz 200",
    "x",
    "x_41",
    "x41",
    "h_",
    "h_" + "0" * 40,
    "0" * 40,
    "head",
    "HEAD",
    "a.git",
    "a.lock",
    "a.wiki",
    "a.atom",
    "a.rss",
    "a.keys",
    "a.gpg",
    "a.png",
    "a.GIT",
    "@",
    "@{",
    "a b",
    " a",
    "a ",
    "a\n",
    "é",
    "e\u0301",
    "数学",
    "🎓",
    "refs/heads/main",
    "con",
    "*",
    "a~1",
    "a^",
    "a:b",
    "a?b",
    "a[b",
    "a\\b",
    "\x00",
    "\x7f",
]


def is_gitlab_path(name: str) -> bool:
    """https://docs.gitlab.com/user/reserved_names/ and the rules for slugs."""
    return (
        len(name) <= 255
        and re.fullmatch(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*", name) is not None
        and not name.lower().endswith((".git", ".atom"))
        and name.lower() not in (*GITLAB_PROJECT_WORDS, *GITLAB_GROUP_WORDS)
    )


def is_gitea_repository(name: str) -> bool:
    return (
        len(name) <= 100
        and re.fullmatch(r"[A-Za-z0-9_.-]+", name) is not None
        and name not in (".", "..", "-")
        and not name.lower().endswith((".git", ".wiki", ".rss", ".atom"))
    )


def is_ref_component(name: str) -> bool:
    """``git check-ref-format``, its rules for one component."""
    return (
        not name.startswith(".")
        and not name.endswith((".lock", "."))
        and ".." not in name
        and "@{" not in name
        and re.search(r"[\x00-\x20\x7f~^:?*\[\\/]", name) is None
        and name != ""
    )


@given(IDS)
@example("x" * slug.MAX_SLUG)
@example("x" * (slug.MAX_SLUG + 1))
def test_every_id_comes_back_from_its_name_or_needs_to_be_recorded(text: str) -> None:
    name = slug.encode(text)
    found = slug.decode(name)
    assert found == text or (found is None and re.fullmatch("h_[0-9a-f]{40}", name))


@given(IDS)
def test_every_name_is_valid_on_gitlab_gitea_and_in_refs(text: str) -> None:
    name = slug.encode(text)
    assert len(name) <= slug.MAX_SLUG
    assert name == name.lower()
    assert is_gitlab_path(name)
    assert is_gitlab_path(f"student-{name}")
    assert is_gitea_repository(f"student-{name}")
    assert is_ref_component(name)


@given(st.lists(st.one_of(SHORT_IDS, IDS, st.sampled_from(HAND_PICKED)), min_size=2, unique=True))
@example(HAND_PICKED)
def test_different_ids_never_share_a_name_even_ignoring_case(ids: list[str]) -> None:
    names = {slug.encode(text).casefold() for text in ids}
    assert len(names) == len(ids)


@given(SHORT_IDS)
def test_ids_that_differ_in_case_only_have_different_names(text: str) -> None:
    variants = {text, text.upper(), text.lower(), text.title(), text.swapcase()}
    assert len({slug.encode(variant).casefold() for variant in variants}) == len(variants)


@given(st.text(st.sampled_from("abxh019_.-AF@é"), max_size=50))
def test_a_name_that_we_never_make_is_refused(name: str) -> None:
    try:
        found = slug.decode(name)
    except ValueError:
        return
    assert found is None or slug.encode(found) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("alice", "alice"),
        ("ps1", "ps1"),
        ("intro-2026", "intro-2026"),
        ("ps.01", "ps.01"),
        ("A", "x_41"),
        ("alice@uni.edu", "xalice_40uni_2eedu"),
        ("Problem Set 1", "x_50roblem_20_53et_201"),
        ("a.git", "xa_2egit"),
        ("a--b", "xa_2d_2db"),
        ("é", "x_c3_a9"),
        ("admin", "x_61dmin"),
        ("tree", "x_74ree"),
        ("x", "x"),
        ("x_41", "xx_5f41"),
    ],
)
def test_names_are_the_ones_that_lie_on_servers_already(text: str, name: str) -> None:
    assert slug.encode(text) == name
    assert slug.decode(name) == text


@pytest.mark.parametrize("word", sorted({*GITLAB_PROJECT_WORDS, *GITLAB_GROUP_WORDS, *GITEA_WORDS}))
def test_a_word_that_a_forge_reserves_is_escaped_and_comes_back(word: str) -> None:
    name = slug.encode(word)
    assert name.startswith("x") and "_" in name
    assert slug.decode(name) == word


def test_a_long_id_gets_a_hash_that_is_not_reversible() -> None:
    text = "学" * 100
    assert slug.encode(text) == "h_" + hashlib.sha256(text.encode()).hexdigest()[:40]
    assert slug.decode(slug.encode(text)) is None


def test_the_longest_plain_name_stays_and_one_more_is_hashed() -> None:
    assert slug.encode("a" * 80) == "a" * 80
    assert slug.encode("a" * 81).startswith("h_")


@pytest.mark.parametrize("text", ["", "\ud800", "a\udcff"])
def test_what_is_no_text_has_no_name(text: str) -> None:
    with pytest.raises(ValueError):
        slug.encode(text)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "X_41",
        "x_4G",
        "x_",
        "x_4",
        "x_61",
        "xadmin_",
        "tree",
        "a_b",
        "x_FF",
        "x_ff",
        "h_12",
        "h_" + "G" * 40,
        "a.git",
        "-a",
        "x_41" * 30,
        "a" * 81,
    ],
)
def test_names_of_others_are_told_apart(name: str) -> None:
    with pytest.raises(ValueError):
        slug.decode(name)


def test_real_git_accepts_the_names_as_branches(tmp_path: object) -> None:
    long_ones = ["a" * 80, "A" * 20, "A" * 500, "数" * 500]
    for text in [*HAND_PICKED, *long_ones]:
        for kind in ("submit", "release", "feedback"):
            checked = subprocess.run(
                ["git", "check-ref-format", f"refs/heads/{kind}/{slug.encode(text)}"],
                env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
                check=False,
            )
            assert checked.returncode == 0, text
