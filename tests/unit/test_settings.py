from __future__ import annotations

import pytest

from git_exchange.errors import ConfigurationError
from git_exchange.settings import Settings


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://gitlab.example.edu", "https://gitlab.example.edu:443"),
        ("https://gitlab.example.edu/", "https://gitlab.example.edu:443"),
        ("http://127.0.0.1:8080/gitlab/", "http://127.0.0.1:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_the_origin_names_the_port(url: str, origin: str) -> None:
    assert Settings(url=url, namespace="teaching").origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gitlab.example.edu",
        "ftp://gitlab.example.edu",
        "https://",
        "https://me:secret@forge.example",
        "https://x/?a=b",
    ],
)
def test_what_is_no_address_of_a_forge_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(url=url, namespace="teaching")
    assert caught.value.hint


def test_a_password_in_the_url_does_not_show_in_the_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(url="https://me:s3cret@forge.example", namespace="teaching")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"namespace": ""}, {"namespace": "/"}, {"kind": "svn"}, {"identical_resubmission": "never"}]
)
def test_a_wrong_value_is_refused_with_the_right_ones(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(**({"url": "https://forge.example", "namespace": "teaching"} | wrong))  # type: ignore[arg-type]
    assert caught.value.hint
