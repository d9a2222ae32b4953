"""The file that names an LMS: no secret in it, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.errors import ConfigurationError
from git_exchange.provisioning.grade_columns import target_of
from git_exchange.provisioning.lms.keys import make_key
from git_exchange.provisioning.people import SignIn
from git_exchange.provisioning.sources.lms_file import TOKEN_VARIABLE, read_lms_file

CANVAS = 'kind = "canvas"\nurl = "https://school.example.edu"\ncourse = 1\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "lms.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_for_canvas_is_read_with_its_roles(tmp_path: Path) -> None:
    file = read_lms_file(write(tmp_path, CANVAS + '[roles]\n"5" = "grader"\n'))
    assert (file.kind, file.said["course"], file.roles) == ("canvas", "1", {"5": "grader"})


def test_the_docstrings_example_is_a_valid_file(tmp_path: Path) -> None:
    import git_exchange.provisioning.sources.lms_file as module

    example = (module.__doc__ or "").partition("::")[2].replace("\n    ", "\n")
    make_key(tmp_path / "lti-key.pem")
    file = read_lms_file(write(tmp_path, example))
    assert file.roles == {"5": "grader"}
    assert file.sign_in == SignIn("saml", "sourced_id")
    assert file.platform_key() is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "kind = None"),
        ('kind = "blackboard"', "Use one of: canvas, lti, moodle"),
        ("kind = ", "is not TOML"),
        ('kind = "canvas"', "lacks: course, url"),
        ('kind = "lti"', "lacks: client_id"),
        (CANVAS + 'token = "abc"', "holds a secret"),
        (CANVAS + 'colour = "red"', "unknown keys: colour"),
        (CANVAS + '[roles]\n"5" = "boss"', "one of the roles"),
        (CANVAS + 'roles = "grader"', "one of the roles"),
        (CANVAS + 'sign_in = "saml"', "[sign_in] must name a provider"),
        (CANVAS + '[sign_in]\nprovider = "saml"', "[sign_in] must name a provider"),
        (CANVAS + '[sign_in]\nprovider = "saml"\nidentity = "name"', "one of login, sourced_id, email, lms_user_id"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_lms_file(write(tmp_path, text))
    assert words in str(caught.value)
    assert "abc" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_lms_file(tmp_path / "lms.toml")


def test_the_token_comes_from_the_environment_or_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_lms_file(write(tmp_path, CANVAS + 'token_file = "canvas-token"\n'))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        file.token()
    secret = tmp_path / "canvas-token"
    secret.write_text("from-file\n")
    secret.chmod(0o644)
    with pytest.raises(ConfigurationError, match="Other users"):
        file.token()
    secret.chmod(0o600)
    assert file.token().value == "from-file"
    monkeypatch.setenv(TOKEN_VARIABLE, "from-environment")
    assert file.token().value == "from-environment"


def test_without_any_token_both_ways_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_lms_file(write(tmp_path, CANVAS)).token()
    assert TOKEN_VARIABLE in str(caught.value)
    assert "token_file" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "moodle"\nurl = "https://m.example.edu"\ncourse = 2\n', "Moodle's own activities only"),
        ('kind = "canvas"\nurl = "https://c.example.edu"\ncourse = 5\n', "does not say which assignment in Canvas ps1"),
        (
            'kind = "lti"\nissuer = "x"\nclient_id = "1"\ntoken_url = "https://l.example.edu/t"\n'
            'memberships_url = "https://l.example.edu/m"\nprivate_key_file = "k"\n',
            "does not name line_items_url",
        ),
    ],
)
def test_a_file_that_can_take_no_grades_says_what_it_lacks(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        target_of(read_lms_file(write(tmp_path, text)), "ps1")


def test_an_assignment_in_canvas_is_named_by_its_number(tmp_path: Path) -> None:
    text = 'kind = "canvas"\nurl = "https://c.example.edu/"\ncourse = 5\n[columns]\nps1 = {}\n'
    file = read_lms_file(write(tmp_path, text.format(77)))
    assert target_of(file, "ps1") == "https://c.example.edu/courses/5/assignments/77"
    with pytest.raises(ConfigurationError, match="number of an assignment in Canvas"):
        read_lms_file(write(tmp_path, text.format('"../1"')))
