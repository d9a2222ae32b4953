from __future__ import annotations

import inspect
import re

from git_exchange import errors
from git_exchange.errors import GitExchangeError, TokenRefused
from git_exchange.report import Outcome, Report


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"(?:\+--|`--)\s+(\w+)", errors.__doc__ or "")) | {"GitExchangeError"}
    written = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, GitExchangeError)
    }
    assert drawn == written


def test_an_error_says_what_failed_and_then_what_to_do() -> None:
    assert str(GitExchangeError("It failed.", hint="Try this.")) == "It failed. Try this."
    assert str(TokenRefused("The token is old.")).endswith(TokenRefused.default_hint)
    assert str(TokenRefused("The token is old.", hint="")) == "The token is old."


def test_the_counts_of_a_report_add_up() -> None:
    report = Report.of([Outcome("a", "collected"), Outcome("b", "failed", "why"), Outcome("c", "collected")])
    assert sum(report.counts.values()) == 3
    assert report.summary() == "2 collected, 1 failed (of 3)"
    assert [outcome.subject for outcome in report.failed] == ["b"]
    assert Report().summary() == "nothing to do (of 0)"
