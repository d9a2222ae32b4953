from __future__ import annotations

import importlib
import os

import pytest
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange import abc as contract
from traitlets.config import Config

from git_exchange.course import credentials
from git_exchange.plugin import configure
from git_exchange.plugin.configure import CLASSES
from git_exchange.plugin.exchange import Exchange


def configured(**options: bool) -> Config:
    config = Config()
    configure(config, "https://forge.example", namespace="teaching", **options)
    return config


def test_the_factory_builds_our_class_for_every_operation() -> None:
    factory = ExchangeFactory(config=configured())
    for method in (
        "FetchAssignment",
        "FetchFeedback",
        "ReleaseAssignment",
        "ReleaseFeedback",
        "List",
        "Submit",
        "Collect",
    ):
        operation = getattr(factory, method)()
        assert type(operation).__module__.startswith("git_exchange.plugin.")
        assert operation.url == "https://forge.example"
        assert operation.root == "https://forge.example/teaching"


@pytest.mark.parametrize(("trait", "name"), CLASSES.items())
def test_a_leaf_is_named_as_nbgraders_and_keeps_its_options(trait: str, name: str) -> None:
    module, _, leaf = name.rpartition(".")
    cls = getattr(importlib.import_module(module), leaf)
    theirs = getattr(contract, leaf)
    assert issubclass(cls, theirs)
    assert set(theirs.class_trait_names(config=True)) <= set(cls.class_trait_names(config=True))
    assert {"root", "cache", "path_includes_course"} <= set(cls.class_trait_names(config=True))


def test_constructing_does_nothing_whatever_nbgrader_passes() -> None:
    exchange = Exchange(coursedir=None, authentictor=None, config=Config())
    assert exchange.coursedir is None


def test_several_courses_get_a_folder_each() -> None:
    assert ExchangeFactory(config=configured(several_courses=True)).Submit().path_includes_course is True
    assert ExchangeFactory(config=configured()).Submit().path_includes_course is False


def test_a_configuration_that_is_executed_again_keeps_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", "glpat-abcdef")
    try:
        configured()
        assert "GIT_EXCHANGE_TOKEN" not in os.environ
        configured()
        settings = Exchange(config=configured()).settings()
        assert next(credentials.tokens(settings)).value == "glpat-abcdef"
    finally:
        credentials.forget()


def test_no_option_could_hold_a_token() -> None:
    assert not [name for name in Exchange.class_trait_names(config=True) if "token" in name or "password" in name]
