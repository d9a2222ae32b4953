"""Carry out what waits, as if hours had passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from git_exchange.operations.scheduled import carry_out_scheduled
from git_exchange.report import Outcome
from tests.unit.school import School

SOON = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)


class Later:
    """The forge, with a clock that is ahead."""

    def __init__(self, forge: Any, by: timedelta) -> None:
        self._forge = forge
        self._by = by

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)

    def server(self) -> Any:
        told = self._forge.server()
        return replace(told, date=told.date + self._by)


def carry_out(school: School, name: str = "teacher", *, by: timedelta = timedelta(hours=2)) -> list[Outcome]:
    course = school.course(name)
    forge: Any = Later(course.forge, by)
    return list(carry_out_scheduled(course, forge, forge.server().date, school.listen).outcomes)


def statuses(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.subject, outcome.status) for outcome in outcomes]
