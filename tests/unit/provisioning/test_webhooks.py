"""Webhooks of students' projects: what a plan says of them, and what applying it does on the forge."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from git_exchange.course.hook_keys import HookKeys, new_hook_key
from git_exchange.course.hooks import RecordedHook, read_hooks, record_hooks
from git_exchange.course.staff_files import change_files
from git_exchange.errors import ConfigurationError, CourseError, UnexpectedAnswer
from git_exchange.forge.connect import hooks_by
from git_exchange.forge.ports import Account, Hook
from git_exchange.operations.examine_hooks import Finding, examine_hooks, spread
from git_exchange.operations.hook_state import HookSetup, check_moved, fault, repair_hooks
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.identity import Bound, identify
from git_exchange.provisioning.people import Person, Roster
from git_exchange.provisioning.plan import CourseNow, Enrolled, Plan, make_plan
from git_exchange.provisioning.trial import TEST_STUDENT, make_test_student
from git_exchange.provisioning.webhooks import with_hooks
from git_exchange.report import Report
from git_exchange.rules.hook_secrets import fingerprint
from tests.unit.school import COURSE, School

URL = "https://collector.example.edu"
KEYS = HookKeys((bytes(range(32)), bytes(32)))
SETUP = HookSetup(URL, KEYS)


def recorded(project_id: int, **changed: object) -> RecordedHook:
    hook = RecordedHook(project_id, 5000 + project_id, SETUP.url(COURSE, project_id), SETUP.newest, True)
    return replace(hook, **changed)  # type: ignore[arg-type]


def enrolled(name: str, number: int, **changed: object) -> Enrolled:
    return replace(Enrolled(Bound(("", name), name, number, name), "student", 1000 + number), **changed)  # type: ignore[arg-type]


def planned(
    people: list[Person], *present: Enrolled, hooks: tuple[RecordedHook, ...] = (), trial: int | None = None
) -> Plan:
    numbers = {entry.bound.person_id: entry.bound.account_id for entry in present}
    now = CourseNow(present, {entry.project_id: False for entry in present if entry.project_id}, {}, 1)
    identified, unmatched = identify(people, [entry.bound for entry in present], ())
    found = {
        person.person_id: Account(numbers.get(person.person_id, 90 + place), person.person_id)
        for place, person in enumerate(people)
        if person.person_id != "nobody"
    }
    plan = make_plan(Roster(tuple(people), "test"), identified, unmatched, found, now)
    return with_hooks(plan, now, COURSE, SETUP, {hook.project_id: hook for hook in hooks}, trial)


def changes(plan: Plan) -> dict[str, str]:
    return {step.who: f"{step.hook.action}: {step.hook.why}" for step in plan.steps if step.hook is not None}


def test_every_student_gets_a_webhook_and_who_has_the_right_one_keeps_it() -> None:
    people = [Person("ann"), Person("ben"), Person("cleo"), Person("nobody"), Person("tim", role="grader")]
    plan = planned(people, enrolled("ann", 1), enrolled("ben", 2), hooks=(recorded(1001),))
    assert changes(plan) == {"ben": "install: has no webhook yet", "cleo": "install: has no webhook yet"}
    assert plan.hook_counts == {"install": 2}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"url": "https://elsewhere.example.edu/hooks/calculus/1001"}, "sends to another address"),
        ({"key": KEYS.fingerprints[1]}, f"{KEYS.fingerprints[1]}, and {KEYS.fingerprints[0]} is newer"),
    ],
)
def test_a_webhook_that_is_not_up_to_date_is_installed_again_and_the_plan_says_why(
    changed: dict[str, object], why: str
) -> None:
    plan = planned([Person("ann")], enrolled("ann", 1), hooks=(recorded(1001, **changed),))
    assert why in changes(plan)["ann"]


def test_who_leaves_or_has_left_loses_the_webhook() -> None:
    here = (enrolled("ann", 1), enrolled("ben", 2), enrolled("cleo", 3, active=False), enrolled("dan", 4, active=False))
    hooks = (recorded(1001), recorded(1002), recorded(1003))
    plan = planned([Person("ann", role="grader")], *here, hooks=hooks)
    assert {who: said.partition(":")[0] for who, said in changes(plan).items()} == dict.fromkeys(
        ("ann", "ben", "cleo"), "remove"
    )
    assert [step.who for step in plan.steps] == ["ann", "ben", "cleo"]


def test_somebody_whom_the_lms_suspends_keeps_the_webhook() -> None:
    here = (enrolled("ann", 1), enrolled("ben", 2, active=False))
    people = [Person("ann", active=False), Person("ben", active=False), Person("cleo", active=False)]
    assert changes(planned(people, *here, hooks=(recorded(1001),))) == {}


def test_the_test_student_has_one_too() -> None:
    assert changes(planned([Person("nobody")], trial=7)) == {TEST_STUDENT: "install: has no webhook yet"}
    assert changes(planned([Person("nobody")], trial=7, hooks=(recorded(7),))) == {}


def test_what_is_wrong_on_the_forge_is_said() -> None:
    hook = Hook(6001, SETUP.url(COURSE, 1001), active=True, disabled_until=None, signs=True, narrow=True)
    mine = recorded(1001)
    other = replace(hook, id=1, url="https://other.example.edu")
    assert fault([other, hook], mine) == ""
    assert "gone" in fault([other], mine)
    assert "disabled" in fault([replace(hook, active=False)], mine)
    assert "changed" in fault([replace(hook, narrow=False)], mine)
    assert "changed" in fault([replace(hook, url=other.url)], mine)
    assert "two" in fault([replace(hook, id=2), hook], mine)


@pytest.mark.parametrize(
    "url", ["", "collector.example.edu", "ftp://x.example.edu", "https://x.edu/?a", "https://a@x.edu"]
)
def test_what_is_no_address_of_a_collector_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="address of a collector"):
        HookSetup(url, KEYS)


def test_the_looked_at_are_spread_over_all() -> None:
    seats = list(range(250))
    assert spread(seats, 20)[:3] == [0, 12, 25]  # type: ignore[arg-type,comparison-overlap]
    assert len(spread(seats, 20)) == 20  # type: ignore[arg-type]
    assert spread(seats[:3], 20) == [0, 1, 2]  # type: ignore[arg-type,comparison-overlap]


# From here on with a forge.


def apply(school: School, setup: HookSetup | None, *students: str, verify: bool = False) -> Report:
    for name in students:
        school.token(name)
    people = [Person("teacher", role="instructor", username=school.username("teacher"))]
    people += [Person(name, username=school.username(name)) for name in students]
    report, _ = apply_roster(
        school.course(), school.forge(), Roster(tuple(people), "the test"), hooks=setup, allow_drops=9, verify=verify
    )
    return report


def statuses(report: Report) -> dict[str, str]:
    assert sum(report.counts.values()) == len(report.outcomes)
    return {outcome.subject: outcome.status for outcome in report.outcomes if outcome.subject != "teacher"}


def test_a_webhook_lives_with_its_student(school: School, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    setup = HookSetup(URL, new_hook_key(file))
    school.open("ann", "ben")
    assert read_hooks(school.course()) == {}
    # Who is here already gets one, and so does who is new.
    assert statuses(apply(school, setup, "ann", "ben", "cleo")) == {
        "ann": "changed",
        "ben": "changed",
        "cleo": "created",
    }
    numbers = {name: school.course().seat_project(name).id for name in ("ann", "ben", "cleo")}
    known = read_hooks(school.course())
    assert known.keys() == set(numbers.values())
    forge = hooks_by(school.forge())
    (hook,) = forge.hooks(numbers["ann"])
    assert known[numbers["ann"]] == RecordedHook(
        numbers["ann"], hook.id, f"{URL}/hooks/{COURSE}/{numbers['ann']}", setup.newest, True
    )
    # Nothing to do is nothing done.
    assert set(statuses(apply(school, setup, "ann", "ben", "cleo")).values()) == {"unchanged"}
    assert read_hooks(school.course()) == known
    # What somebody did to it on the forge is seen and put right with --verify.
    forge.remove_hook(numbers["ann"], hook.id)
    school.api("PUT", f"/projects/{numbers['ben']}/hooks/{known[numbers['ben']].hook_id}", push_events=False)
    assert set(statuses(apply(school, setup, "ann", "ben", "cleo")).values()) == {"unchanged"}
    report = apply(school, setup, "ann", "ben", "cleo", verify=True)
    assert statuses(report) == {"ann": "repaired", "ben": "repaired", "cleo": "unchanged"}
    assert "gone from the forge" in next(one.detail for one in report.outcomes if one.subject == "ann")
    assert all(len(forge.hooks(number)) == 1 and forge.hooks(number)[0].narrow for number in numbers.values())
    # A newer key: all move to it, and who leaves loses the webhook.
    newer = HookSetup(URL, new_hook_key(file))
    with pytest.raises(CourseError, match="3 webhooks of the course calculus still have another key"):
        check_moved(school.course(), newer.newest)
    assert statuses(apply(school, newer, "ann", "ben")) == {"ann": "changed", "ben": "changed", "cleo": "dropped"}
    check_moved(school.course(), newer.newest)
    assert forge.hooks(numbers["cleo"]) == []
    assert read_hooks(school.course()).keys() == {numbers["ann"], numbers["ben"]}


def test_a_run_without_webhooks_leaves_them_and_says_whom_it_left_out(school: School) -> None:
    school.open()
    apply(school, SETUP, "ann")
    before = read_hooks(school.course())
    report = apply(school, None, "ann", "ben")
    assert read_hooks(school.course()) == before
    assert [note for note in report.notes if "1 people who are new in this run got none" in note]
    # Who left in such a run keeps the webhook until a run with them.
    apply(school, None, "ben")
    report = apply(school, SETUP, "ben")
    assert statuses(report) == {"ben": "changed", "ann": "changed"}
    ann = school.course().seat_project("ann").id
    assert hooks_by(school.forge()).hooks(ann) == []
    assert ann not in read_hooks(school.course())


def test_a_webhook_that_fails_is_named_and_everything_else_is_done(school: School) -> None:
    school.open("ann", "ben")
    number = school.course().seat_project("ann").id
    school.control("faults", path=f"/projects/{number}/hooks", status=403, times=20, method="POST", message="no hooks")
    report = apply(school, SETUP, "ann", "ben", "cleo")
    assert statuses(report) == {"ann": "failed", "ben": "changed", "cleo": "created"}
    assert "unchanged, but the webhook failed" in report.failed[0].detail
    school.control("faults", "DELETE")
    assert statuses(apply(school, SETUP, "ann", "ben", "cleo"))["ann"] == "changed"


def test_the_test_student_s_webhook_moves_with_the_others(school: School) -> None:
    school.open()
    project = make_test_student(school.course(), school.forge())
    assert statuses(apply(school, HookSetup(URL, HookKeys(KEYS.keys[1:])))) == {TEST_STUDENT: "changed"}
    assert statuses(apply(school, SETUP)) == {TEST_STUDENT: "changed"}
    assert statuses(apply(school, SETUP)) == {}
    assert read_hooks(school.course())[project.id].key == fingerprint(KEYS.keys[0])


def findings(school: School, setup: HookSetup | None, name: str = "teacher") -> list[Finding]:
    return list(examine_hooks(school.course(name), setup))


def test_the_sweep_and_doctor_see_the_same_and_the_sweep_puts_it_right(school: School) -> None:
    school.open("ann", "ben", staff=(("tim", "grader"),))
    assert findings(school, None) == []
    assert "none: ann, ben" in findings(school, SETUP)[0].detail
    report = repair_hooks(school.course(), SETUP)
    assert report.counts == {"repaired": 2}
    assert repair_hooks(school.course(), SETUP).counts == {"unchanged": 2}
    assert {found.state for found in findings(school, SETUP)} == {"ok"}
    ann = school.course().seat_project("ann").id
    hooks_by(school.forge()).remove_hook(ann, read_hooks(school.course())[ann].hook_id)
    wrong = [found for found in findings(school, None) if found.state == "failed"]
    assert [found.detail for found in wrong] == [
        "1 of all 2 are not as they should be: ann: its webhook is gone from the forge."
    ]
    assert "--verify" in wrong[0].hint
    assert repair_hooks(school.course(), SETUP).counts == {"repaired": 1, "unchanged": 1}
    newer = HookSetup(URL, HookKeys((b"n" * 32, *KEYS.keys)))
    assert "2 are not up to date" in findings(school, newer)[1].detail
    assert "may not look" in findings(school, SETUP, "tim")[-1].detail


def test_doctor_tells_that_deliveries_fail(school: School) -> None:
    school.open("ann")
    school.release()
    setup = HookSetup("http://127.0.0.1:9", KEYS)  # where nobody listens
    repair_hooks(school.course(), setup)
    assert findings(school, setup)[-1].detail == "nothing was sent in the last days"
    school.submit("ann", "work")
    ann = school.course().seat_project("ann").id
    hook = read_hooks(school.course())[ann].hook_id
    forge = hooks_by(school.forge())
    end = time.monotonic() + 10
    while not forge.deliveries(ann, hook) and time.monotonic() < end:
        pass  # each look is a request
    found = findings(school, setup)[-1]
    assert found.state == "failed"
    assert "The last delivery failed for 1 of 1: ann: answered internal error" in found.detail
    assert "does not reach it" in found.hint


def test_a_damaged_record_is_told_of(school: School) -> None:
    school.open()
    record_hooks(school.course(), [recorded(1)])
    assert read_hooks(school.course()) == {1: recorded(1)}
    change_files(school.course(), "Break", ["hooks.csv"], lambda present: {"hooks.csv": b"project_id,hook_id\n1,x\n"})
    with pytest.raises(UnexpectedAnswer, match=r"hooks\.csv"):
        read_hooks(school.course())
