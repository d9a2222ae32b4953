"""Trailers: any text on one line of a commit message, and back."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from git_exchange.rules import trailers
from git_exchange.rules.trailers import Trailers

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
AWKWARD = st.text(st.sampled_from("a \t\n\r\x0b\x0c\x1c\x85\u2028\u2029\u202e%25:é\u3000"), max_size=20)
VALUES = st.one_of(TEXT, AWKWARD)
KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
SUBJECTS = st.one_of(TEXT, AWKWARD, st.just("Assignment: forged")).filter(
    lambda text: text.strip() and text.isprintable()
)


@given(VALUES)
@example(" ")
@example("%0A")
@example("100%")
def test_a_quoted_value_is_one_line_and_comes_back(value: str) -> None:
    quoted = trailers.quote(value)
    assert len(quoted.splitlines()) <= 1
    assert quoted == quoted.strip()
    assert trailers.unquote(quoted) == value


@given(SUBJECTS, st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=6), st.one_of(st.just(""), TEXT))
def test_what_is_said_in_trailers_is_read_again(subject: str, pairs: list[tuple[str, str]], body: str) -> None:
    assert trailers.parse(trailers.message(subject, pairs, body)).pairs == tuple(pairs)


@given(st.one_of(VALUES, st.text(st.sampled_from("aA: %\n\r-"), max_size=40)))
def test_no_message_makes_the_parser_fail(message: str) -> None:
    assert isinstance(trailers.parse(message), Trailers)


@given(st.text(max_size=30))
def test_no_value_makes_unquoting_fail(value: str) -> None:
    assert isinstance(trailers.unquote(value), str)


def test_a_message_reads_like_one() -> None:
    said = [
        (trailers.ASSIGNMENT, "ps1"),
        (trailers.DUE_DATE, "2026-11-20T10:00:00.000000Z"),
        (trailers.NOTEBOOK, "a b.ipynb"),
    ]
    assert trailers.message("Release ps1", said, "Some words.") == (
        "Release ps1\n\nSome words.\n\nAssignment: ps1\nDue-Date: 2026-11-20T10:00:00.000000Z\nNotebook: a b.ipynb\n"
    )


def test_ordinary_words_stay_readable() -> None:
    assert trailers.quote("Übung 1: Schleifen & Felder 🎓") == "Übung 1: Schleifen & Felder 🎓"
    assert trailers.quote("100%\n") == "100%25%0A"
    assert trailers.quote("txt.\u202egnp") == "txt.%E2%80%AEgnp"


def test_keys_are_compared_without_case_and_values_kept_in_order() -> None:
    said = trailers.parse("Subject\n\nNotebook: a\nnotebook: b\nOther: c\n")
    assert said.all("NOTEBOOK") == ("a", "b")
    assert said.first("Notebook") == "a"
    assert said.first("missing") is None
    assert said.all("missing") == ()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n\n",
        "Assignment: ps1",
        "Assignment: ps1\nCourse: c",
        "\n\nAssignment: ps1\n",
        "Subject\n\nAssignment: ps1\nand some prose\n",
        "Subject\n\nAssignment: ps1\n\nprose at the end\n",
        "Subject\n\nAssignment: ps1\n  folded\n",
        "Subject\n\nNo key\n",
        "Subject\n\n: no key\n",
    ],
)
def test_only_a_last_paragraph_of_nothing_but_trailers_counts(message: str) -> None:
    assert trailers.parse(message) == Trailers()


def test_an_earlier_paragraph_that_looks_like_trailers_does_not_count() -> None:
    said = trailers.parse("Subject\n\nAssignment: forged\n\nAssignment: ps1\n")
    assert said.all("assignment") == ("ps1",)


def test_line_ends_of_the_forge_do_not_matter() -> None:
    assert trailers.parse("Subject\r\n\r\nAssignment: ps1\r\nEmpty:\r\n\r\n").pairs == (
        ("Assignment", "ps1"),
        ("Empty", ""),
    )


def test_what_is_no_escape_stays() -> None:
    assert trailers.unquote("100% %zz %C3 %C3%A9 %") == "100% %zz %C3 é %"


def test_a_newline_in_the_subject_cannot_start_another_paragraph() -> None:
    message = trailers.message("Submit a\n\nAssignment: forged", [("Assignment", "ps1")])
    assert message == "Submit a  Assignment: forged\n\nAssignment: ps1\n"


@pytest.mark.parametrize("subject", ["", " ", "\n"])
def test_a_message_needs_a_subject(subject: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        trailers.message(subject, [])


@pytest.mark.parametrize("key", ["", "a b", "a:b", "-a", "a\n", "é"])
def test_a_key_that_would_not_be_read_again_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        trailers.message("Subject", [(key, "value")])


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(ValueError):
        trailers.quote("a\udcff")


def test_git_itself_finds_the_same_trailers(tmp_path: Path) -> None:
    pairs = [(trailers.STUDENT, " Zoë\n100% "), (trailers.ATTEMPT, "2"), (trailers.WITHDRAWN, "yes")]
    found = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=trailers.message("Submit ps1", pairs, "A body.").encode(),
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
    )
    lines = found.stdout.decode().splitlines()
    assert lines == [f"{key}: {trailers.quote(value)}" for key, value in pairs]
