"""The plan is a pure function of the roster and the forge's state, and its steps add up to the people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from git_exchange.errors import CourseError
from git_exchange.forge.ports import Account, Role
from git_exchange.provisioning.identity import Bound, MapEntry, identify
from git_exchange.provisioning.people import Person, Roster
from git_exchange.provisioning.plan import CourseNow, Enrolled, Plan, check_drops, make_plan, to_look_up

LMS = "https://lms.example.edu"
ME = 1
EMPTY = CourseNow((), {}, {}, ME)


def student(name: str, number: int, **changed: object) -> Enrolled:
    return replace(Enrolled(Bound(("", name), name, number, name), "student", 1000 + number), **changed)


def course(*enrolled: Enrolled, staff: dict[int, Role] | None = None, archived: tuple[int, ...] = ()) -> CourseNow:
    projects = {entry.project_id: entry.project_id in archived for entry in enrolled if entry.project_id is not None}
    return CourseNow(enrolled, projects, staff or {}, ME)


def planned(
    people: list[Person], now: CourseNow, accounts: dict[str, int] | None = None, mapped: tuple[MapEntry, ...] = ()
) -> Plan:
    roster = Roster(tuple(people), "test")
    identified, unmatched = identify(people, [entry.bound for entry in now.enrolled], mapped)
    found = {name: Account(number, name) for name, number in (accounts or {}).items()}
    return make_plan(roster, identified, unmatched, found, now)


def actions(plan: Plan) -> dict[str, str]:
    return {step.who: step.action for step in plan.steps}


def test_a_new_student_is_created_and_one_without_an_account_waits() -> None:
    plan = planned([Person("bo"), Person("cleo")], EMPTY, {"bo": 7})
    assert actions(plan) == {"bo": "create", "cleo": "pending"}


def test_nothing_is_asked_and_nothing_changes_for_who_is_on_record() -> None:
    now = course(student("bo", 7), student("cleo", 8))
    people = [Person("bo"), Person("cleo")]
    identified, _ = identify(people, [entry.bound for entry in now.enrolled])
    assert to_look_up(identified) == []
    assert planned(people, now).counts == {"keep": 2}


def test_who_is_no_longer_in_the_roster_is_dropped_and_comes_back() -> None:
    now = course(student("bo", 7), student("cleo", 8))
    assert actions(planned([Person("bo")], now)) == {"bo": "keep", "cleo": "drop"}
    later = course(student("bo", 7), student("cleo", 8, active=False))
    assert actions(planned([Person("bo")], later)) == {"bo": "keep"}
    assert actions(planned([Person("bo"), Person("cleo")], later)) == {"bo": "keep", "cleo": "return"}


def test_a_student_of_an_archived_project_gets_it_back() -> None:
    assert actions(planned([Person("bo")], course(student("bo", 7), archived=(1007,)))) == {"bo": "return"}


def test_a_student_whose_project_is_gone_gets_a_new_one_and_is_told_why() -> None:
    now = replace(course(student("bo", 7)), projects={})
    (step,) = planned([Person("bo")], now).steps
    assert step.action == "create"
    assert "1007" in step.why


def test_somebody_whom_the_lms_suspends_is_neither_added_nor_dropped() -> None:
    now = course(student("bo", 7))
    plan = planned([Person("bo", active=False), Person("cleo", active=False)], now, {"cleo": 8})
    assert actions(plan) == {"bo": "keep", "cleo": "keep"}


def test_an_id_on_record_is_not_given_to_another_account() -> None:
    (step,) = planned([Person("bo", username="robert")], course(student("bo", 7)), {"robert": 9}).steps
    assert step.action == "unmatched"
    assert "number 7" in step.why
    assert "number 9" in step.why


def test_an_account_with_a_seat_gets_no_second_one() -> None:
    (step,) = [s for s in planned([Person("b", username="bo")], course(student("bo", 7)), {"bo": 7}).steps if s.person]
    assert step.action == "unmatched"
    assert "the seat of bo" in step.why


def test_somebody_of_the_lms_without_an_account_is_named_and_not_dropped_for_it() -> None:
    entry = Enrolled(Bound((LMS, "5"), "bo", 7, "bo"), "student", 1007)
    other = Person(platform=LMS, lms_user_id="6", first_name="Cleo", last_name="C.")
    contradiction = Person(platform=LMS, lms_user_id="5")
    now = course(entry, student("dora", 9))
    plan = planned([contradiction, other], now, mapped=(MapEntry("5", "dora", "dora"),))
    assert actions(plan)["Cleo C. (LMS user 6)"] == "unmatched"
    assert "bo" not in [step.who for step in plan.of("drop")]


@pytest.mark.parametrize(
    ("has", "role", "action"),
    [
        (Role.NONE, "grader", "create"),
        (Role.GRADER, "grader", "keep"),
        (Role.GRADER, "instructor", "change"),
        (Role.INSTRUCTOR, "grader", "change"),
    ],
)
def test_staff_get_the_role_of_the_roster(has: Role, role: str, action: str) -> None:
    now = CourseNow((), {}, {5: has}, ME)
    assert actions(planned([Person("tim", role=role)], now, {"tim": 5})) == {"tim": action}


def test_who_applies_the_plan_does_not_take_the_own_role_away() -> None:
    now = course(Enrolled(Bound(("", "ada"), "ada", ME, "ada"), "instructor", None), student("bo", 7))
    assert planned([Person("bo")], now).of("drop") == ()


def test_steps_add_up_to_the_roster_and_the_drops() -> None:
    now = course(*(student(f"s{number}", number + 10) for number in range(30)))
    people = [Person(f"s{number}") for number in range(28)] + [Person("new")]
    plan = planned(people, now, {"new": 99})
    assert sum(plan.counts.values()) == 28 + 1 + 2
    assert plan.counts == {"keep": 28, "create": 1, "drop": 2}


@pytest.mark.parametrize(
    ("gone", "allowed", "refused"), [(2, None, False), (3, None, True), (3, 3, False), (3, 2, True)]
)
def test_many_drops_need_to_be_allowed(gone: int, allowed: int | None, refused: bool) -> None:
    now = course(*(student(f"s{number}", number + 10) for number in range(20)))
    plan = planned([Person(f"s{number}") for number in range(20 - gone)], now)
    if not refused:
        check_drops(plan, now, allowed)
        return
    with pytest.raises(CourseError, match=f"lacks {gone} of 20 people") as caught:
        check_drops(plan, now, allowed)
    assert f"--allow-drops {gone}" in caught.value.hint


def test_a_student_of_a_file_whom_the_map_finds_in_the_lms_is_recorded_so() -> None:
    now = course(student("bo", 7))
    person = Person(platform=LMS, lms_user_id="5")
    (step,) = planned([person], now, {"bo": 7}, (MapEntry("5", "bo"),)).steps
    assert (step.action, step.how) == ("change", "map")
    later = course(replace(student("bo", 7), bound=Bound((LMS, "5"), "bo", 7, "bo")))
    assert planned([person], later).counts == {"keep": 1}
