"""How often nbgrader's pages ask the forge: as often as docs/reference/requests.md says, however large the course."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pages.campus import Campus
from tests.pages.live import assignments
from tests.unit.school import COURSE

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "requests.md"


def documented(kind: str) -> dict[str, str]:
    """Return "requests + transfers" by page, as the reference says for this kind of forge."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    column = next(number for number, cell in enumerate(rows[0]) if kind in cell.lower())
    return {row[0].strip(): row[column].strip() for row in rows if re.fullmatch(r"\d+( \+ \d+)?", row[column].strip())}


def count(campus: Campus, action: Callable[[], object]) -> str:
    """Return "requests + transfers" of an action, further pages of lists left out."""
    before = len(campus.line.passed)
    action()
    passed = campus.line.passed[before:]
    requests = sum(not one.by_git and one.page == 1 for one in passed)
    transfers = sum(one.transfers for one in passed)
    return f"{requests} + {transfers}" if transfers else f"{requests}"


@pytest.mark.timeout(900)  # the larger course takes a while to make
@pytest.mark.parametrize("size", [2, 20])
def test_pages_ask_as_often_as_documented_whatever_the_size_of_the_course(campus: Campus, size: int) -> None:
    names = [f"ps{number:02}" for number in range(size)]
    students = ["ann", *(f"student{number:02}" for number in range(30 if size > 2 else 1))]
    campus.school.open(*students)
    counted = {}

    with campus.instructor(*names) as server:

        def formgrader() -> None:
            assert "formgrader" in server.page("/formgrader/").lower()
            shown = server.get("/formgrader/api/assignments")
            assert [(one["name"], one["status"], one["releaseable"]) for one in shown] == [
                (name, "draft", True) for name in names
            ]

        counted["formgrader, nothing released yet"] = count(campus, formgrader)
        counted["formgrader again, within seconds"] = count(campus, formgrader)
        released = server.post(f"/formgrader/api/assignment/{names[0]}/release")
        assert released["success"], released
        one = f"/formgrader/api/assignment/{names[0]}"
        counted["formgrader, one assignment"] = count(campus, lambda: server.get(one))
        assert server.get(one)["status"] == "released"
        counted["formgrader's list of submissions"] = count(
            campus, lambda: server.get(f"/formgrader/api/submissions/{names[0]}")
        )

    for name in names[1:]:
        campus.school.release(name)
    for name in names:
        campus.school.submit("ann", f"my {name}", name)

    for when in ("first time on a machine", "nothing new"):
        with campus.student("ann") as server:

            def page() -> None:
                assert server.get("/courses") == {"success": True, "value": [COURSE]}
                listed = server.get(assignments(COURSE))["value"]
                assert sorted((one["assignment_id"], one["status"]) for one in listed) == sorted(
                    (name, status) for name in names for status in ("released", "submitted")
                )

            counted[f"assignment list, {when}"] = count(campus, page)
            counted["assignment list again, within seconds"] = count(campus, page)

    assert counted == documented(campus.school.kind)
