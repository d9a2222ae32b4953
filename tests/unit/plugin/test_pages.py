from __future__ import annotations

from types import SimpleNamespace

import pytest
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange.abc import ExchangeError

from git_exchange.plugin import pages

ERROR = ExchangeError("The forge says <no>. " + "Ask whoever runs https://forge.example/with/an/address. " * 4)


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "in_jupyter_server", lambda: True)
    monkeypatch.setattr(pages, "_swallowed", [])


@pytest.fixture
def listed() -> SimpleNamespace:
    """As nbgrader's assignment list makes its operations."""
    return SimpleNamespace(parent=ExchangeFactory(), root="https://forge.example/teaching")


@pytest.fixture
def formgrader() -> SimpleNamespace:
    """As formgrader does: its API is the parent and has read the root."""
    root = "https://forge.example/teaching"
    return SimpleNamespace(parent=SimpleNamespace(exchange_root=root), root=root)


def test_the_banner_names_the_failure_and_cannot_be_made_to_hold_anothers_markup(formgrader: SimpleNamespace) -> None:
    assert pages.not_listed(formgrader, ERROR) is ERROR
    assert formgrader.parent.exchange_root.startswith("https://forge.example/teaching: The forge says &lt;no&gt;.")


def test_the_assignment_list_gets_no_exchange_error_and_lines_that_fit(listed: SimpleNamespace) -> None:
    raised = pages.not_listed(listed, ERROR)
    assert not isinstance(raised, ExchangeError)
    assert max(len(line) for line in str(raised).splitlines()) <= pages.WIDTH
    assert " ".join(str(raised).split()) == " ".join(str(ERROR).split())
    assert pages.readable(listed, raised) == str(raised)


def test_what_was_swallowed_is_told_once_and_not_to_others(
    listed: SimpleNamespace, formgrader: SimpleNamespace
) -> None:
    pages.keep_swallowed(listed, ERROR)
    assert pages.swallowed(formgrader) is None
    assert "The forge says <no>" in str(pages.swallowed(listed))
    assert pages.swallowed(listed) is None


def test_what_was_swallowed_long_ago_is_not_told(listed: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.keep_swallowed(listed, ERROR)
    monkeypatch.setattr(pages, "NEXT_SECONDS", 0.0)
    assert pages.swallowed(listed) is None


def test_on_the_command_line_nothing_changes(listed: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "in_jupyter_server", lambda: False)
    pages.keep_swallowed(listed, ERROR)
    assert pages.swallowed(listed) is None
    assert pages.not_listed(listed, ERROR) is ERROR
    assert pages.readable(listed, ERROR) == str(ERROR)
