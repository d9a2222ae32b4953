from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from git_exchange.errors import ConfigurationError
from git_exchange.plugin.configuration import Wanted, written
from git_exchange.plugin.exchange import Exchange, GitExchange
from git_exchange.plugin.options import explained, operations, options


def loaded(place: Path, text: str) -> Config:
    file = place / "nbgrader_config.py"
    file.write_text(text)
    return PyFileConfigLoader(str(file)).load_config()


KNOWN = Wanted("instructor", "https://git.example.edu/", "/teaching/2027/", "gitea", "it's \\ 'one'")


def test_what_was_given_stands_in_the_file(tmp_path: Path) -> None:
    c = loaded(tmp_path, written(KNOWN))
    assert c.CourseDirectory.course_id == "it's \\ 'one'"
    exchange = GitExchange(config=c)
    assert (exchange.url, exchange.namespace, exchange.kind) == ("https://git.example.edu", "teaching/2027", "gitea")
    assert not exchange.path_includes_course
    assert c.ExchangeFactory.submit == "git_exchange.plugin.submit.ExchangeSubmit"
    assert KNOWN.missing() == []
    assert "<-" not in written(KNOWN)


@pytest.mark.parametrize("role", ["instructor", "student"])
def test_what_was_not_given_is_marked_and_the_file_loads_all_the_same(tmp_path: Path, role: str) -> None:
    text = written(Wanted(role))
    missing = Wanted(role).missing()
    assert missing == ["--url", "--namespace", *(["--course"] if role == "instructor" else [])]
    assert text.count("# <- put yours here") == len(missing)
    assert Exchange(config=loaded(tmp_path, text)).settings().url


def test_a_student_without_a_course_gets_a_folder_for_each_and_one_with_a_course_does_not(tmp_path: Path) -> None:
    several = loaded(tmp_path, written(Wanted("student")))
    assert several.GitExchange.path_includes_course is True
    assert "course_id" not in several.CourseDirectory
    one = loaded(tmp_path, written(Wanted("student", course_id="calculus")))
    assert one.CourseDirectory.course_id == "calculus"
    assert "path_includes_course" not in one.GitExchange


@pytest.mark.parametrize("role", ["instructor", "student"])
def test_the_options_in_the_comments_are_all_there_are_with_their_defaults(tmp_path: Path, role: str) -> None:
    text = written(Wanted(role))
    shown = dict(re.findall(r"^# (c\.\w+\.\w+) = (.+)$", text, flags=re.MULTILINE))
    head = ("url", "namespace", "kind", "path_includes_course")
    expected = {f"c.{one.section}.{one.name}": one.default or "..." for one in options() if one.name not in head}
    assert shown == expected
    # Taken out of their comments they change nothing.
    uncommented = re.sub(r"^# (c\.\w+\.\w+ = (?!\.\.\.).+)$", r"\1", text, flags=re.MULTILINE)
    c = loaded(tmp_path, uncommented)
    for cls in [GitExchange, *operations()]:
        plain, configured = cls(), cls(config=c)
        for name in set(cls.class_trait_names(config=True)) - {*head, "root"}:
            assert getattr(configured, name) == getattr(plain, name), name


def test_no_option_holds_a_secret_and_the_file_says_where_a_token_belongs() -> None:
    assert "GIT_EXCHANGE_TOKEN" in written(Wanted("student"))
    assert not [one.name for one in options() if "token" in one.name or "secret" in one.name]


def test_an_address_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not the address of a forge"):
        written(Wanted("student", url="gitlab.example.edu"))


def test_defaults_are_the_real_ones_and_those_of_the_machine_are_left_open() -> None:
    by_name = {one.name: one for one in options() if one.section == "GitExchange"}
    assert {name for name, one in by_name.items() if one.default is None} == {"cache", "cache_dir", "root"}
    exchange = GitExchange()
    for name, one in by_name.items():
        if one.default is not None:
            assert ast.literal_eval(one.default) == getattr(exchange, name)


def test_every_option_is_explained_with_type_and_default() -> None:
    text = explained()
    for one in options():
        assert f"c.{one.section}.{one.name}: {one.type}\n" in text
    assert "c.GitExchange.grace_seconds: a float\n    Default: 300.0\n    How late" in text
    assert "c.ExchangeSubmit.strict: a boolean\n    Default: False\n" in text
    assert "c.Exchange.timezone: " in text
