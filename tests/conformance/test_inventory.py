"""Whether we know all of nbgrader's tests of exchanges: one that is in no list would never run here."""

from __future__ import annotations

import inspect
from pathlib import Path

import nbgrader.tests.apps
import pytest

from tests.conformance.upstream import NEWER, NOT_RUN, SUITES


@pytest.mark.parametrize("suite", SUITES)
def test_every_exchange_test_of_nbgrader_is_run_or_listed_with_a_reason(suite: str) -> None:
    shipped = set(SUITES[suite].shipped())
    excluded = {name for where, name in NOT_RUN if where == suite}
    assert shipped - SUITES[suite].run - excluded == set()


@pytest.mark.parametrize("suite", SUITES)
def test_every_test_in_our_lists_is_one_of_nbgraders(suite: str) -> None:
    newer = {name for where, name in NEWER if where == suite}
    excluded = {name for where, name in NOT_RUN if where == suite}
    assert (SUITES[suite].run | excluded) - set(SUITES[suite].shipped()) - newer == set()
    assert not SUITES[suite].run & excluded


def test_no_other_module_of_nbgraders_tests_uses_an_exchange() -> None:
    folder = Path(inspect.getfile(nbgrader.tests.apps)).parent
    using = {path.stem for path in folder.glob("test_*.py") if "--Exchange.root" in path.read_text(encoding="utf-8")}
    assert using == {suite.module.__name__.rpartition(".")[2] for suite in SUITES.values()}


def test_the_lists_hold_all_ninety_eight() -> None:
    assert sum(len(suite.run) for suite in SUITES.values()) == 92
    assert sum(len(suite.mirrored) for suite in SUITES.values()) == 26
    assert len(NOT_RUN) == 6
