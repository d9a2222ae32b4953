"""People without an account are invited to the forge, and to nothing else: an invitation binds nobody to anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from git_exchange.course.enrolments import dropped_and_waiting, read_enrolments
from git_exchange.course.hook_keys import HookKeys
from git_exchange.course.invited import read_invited
from git_exchange.course.seats import seats
from git_exchange.errors import ConfigurationError, Forbidden, ForgeUnreachable
from git_exchange.forge.connect import connect_accounts, hooks_by
from git_exchange.forge.gitea.adapter import Gitea
from git_exchange.forge.gitlab.adapter import GitLab
from git_exchange.forge.ports import Account, Role
from git_exchange.operations.hook_state import HookSetup
from git_exchange.operations.membership import remove
from git_exchange.provisioning.apply import apply_roster, plan_roster
from git_exchange.provisioning.identity import MapEntry
from git_exchange.provisioning.open_course import open_course
from git_exchange.provisioning.people import Person, Roster
from git_exchange.provisioning.state import read_state
from git_exchange.report import Outcome, Report
from tests.unit.school import COURSE, School

LMS = "https://lms.example.edu"
STUDENTS = frozenset({"student"})


def person(school: School, number: str, name: str, **said: Any) -> Person:
    email = said.pop("email", f"{name}.{school.mark}@Uni.example")
    return Person(platform=LMS, lms_user_id=number, first_name=name.title(), email=email, **said)


def address(school: School, name: str) -> str:
    return f"{name}.{school.mark}@uni.example"


def apply(
    school: School, *people: Person, invite: bool = True, mapped: dict[str, str] | None = None, **more: Any
) -> Report:
    course, forge = school.course(), school.forge()
    entries = [MapEntry(number, school.username(name)) for number, name in (mapped or {}).items()]
    roster = Roster(people, "the test", covers=STUDENTS)
    report, _ = apply_roster(course, forge, roster, mapped=entries, invite=invite, allow_drops=100, **more)
    return report


def account_with_address(school: School, name: str) -> Account:
    """Make an account of another name than the first part of its address."""
    accounts = connect_accounts(school.settings(), school.admin)
    return accounts.create_account(f"account-of-{school.username(name)}", name=name, email=address(school, name))


def accept(school: School, invited: str, name: str) -> Account:
    """Follow the link in the mail to ``invited`` as the account of ``name``."""
    school.token(name)
    school.control("invitations", email=address(school, invited), username=school.username(name))
    found = school.forge().find_account(school.username(name))
    assert found is not None
    return found


def open_invitations(school: School) -> set[str]:
    return set(school.forge().invitations(school.course().assignments().id))


def roles(school: School) -> dict[int, Role]:
    """Return the own members of the project of releases."""
    found = school.forge().members(school.course().assignments().id)
    return {member.account.id: member.role for member in found if member.direct}


def test_who_has_no_account_is_invited_once_and_to_the_releases_alone(school: School) -> None:
    school.open("ann")
    una = person(school, "1", "una")
    noa = Person("noa", email=address(school, "noa"))
    planned = plan_roster(school.course(), school.forge(), Roster((una, noa), "t", covers=STUDENTS), invite=True)
    assert planned.plan.counts == {"invite": 2, "drop": 1}
    assert open_invitations(school) == set()
    noted: list[Outcome] = []
    report = apply(school, una, noa, noted=noted.append)
    assert report.counts == {"invited": 2, "dropped": 1}
    assert [one.status for one in noted].count("invited") == 2
    assert open_invitations(school) == {address(school, "una"), address(school, "noa")}
    seats = [project for project in school.course().projects() if project.path.startswith("student-")]
    assert all(not school.forge().invitations(seat.id) for seat in seats)
    again = apply(school, una)
    assert again.counts == {"invited": 1}
    assert "not accepted yet" in again.outcomes[0].detail
    waiting = dropped_and_waiting(school.course())[1]
    assert [(one.who, one.invited) for one in waiting] == [
        ("Una (LMS user 1)", f"{school.course().now().date()}"),
    ]
    assert address(school, "una") not in str(read_invited(school.course()))


def test_who_is_invited_gets_a_webhook_only_with_a_project(school: School) -> None:
    school.open("ann")
    una, ann = person(school, "1", "una"), Person("ann", username=school.username("ann"))
    setup = HookSetup("https://collector.example.edu", HookKeys((b"k" * 32,)))
    for status in ("changed", "unchanged"):
        assert apply(school, ann, una, hooks=setup).counts == {status: 1, "invited": 1}
    account = accept(school, "una", "una")
    report = apply(school, ann, una, mapped={"1": "una"}, hooks=setup)
    assert report.counts == {"unchanged": 1, "created": 1}
    (project,) = (seat.project for seat in seats(school.course()) if seat.student_id == account.username)
    assert len(hooks_by(school.forge()).hooks(project.id)) == 1


def test_a_run_that_invites_nobody_still_knows_who_is_invited(school: School) -> None:
    school.open()
    una = person(school, "1", "una")
    apply(school, una)
    assert apply(school, una, invite=False).counts == {"unmatched": 1}
    assert dropped_and_waiting(school.course())[1][0].invited


def test_whoever_accepts_is_nobodys_student_until_a_person_says_whose_account_it_is(school: School) -> None:
    school.open()
    una = person(school, "1", "una")
    apply(school, una)
    mallory = accept(school, "una", "mallory")
    assert roles(school) == {mallory.id: Role.NONE}
    now = read_state(school.course(), school.forge()).now
    assert mallory.id not in now.staff
    assert mallory.id not in {entry.bound.account_id for entry in now.enrolled}
    again = apply(school, una, verify=True)
    assert again.counts == {"unmatched": 1}
    assert "accepted, declined or withdrawn" in again.outcomes[0].detail
    assert open_invitations(school) == set()  # nobody is invited over and over
    assert roles(school) == {mallory.id: Role.NONE}
    school.token("una")
    assert apply(school, una, mapped={"1": "una"}).counts == {"created": 1}
    assert read_enrolments(school.course())[school.username("una")].lms_user_id == "1"
    assert mallory.id not in {entry.account_id for entry in read_enrolments(school.course()).values()}


def test_in_a_course_of_members_a_guest_becomes_a_reader_when_enrolled_and_nothing_when_dropped(school: School) -> None:
    open_course(school.settings(), school.forge(), COURSE, releases="members")
    una = person(school, "1", "una")
    apply(school, una)
    account = accept(school, "una", "una")
    assert roles(school) == {account.id: Role.NONE}
    assert apply(school, una, mapped={"1": "una"}).counts == {"created": 1}
    assert roles(school) == {account.id: Role.READER}
    assert apply(school, una, verify=True).counts == {"unchanged": 1}
    remove(school.forge(), read_state(school.course(), school.forge()).known, school.username("una"))
    assert roles(school) == {}


def test_who_is_a_member_already_keeps_the_role(school: School) -> None:
    open_course(school.settings(), school.forge(), COURSE, releases="members")
    ann = account_with_address(school, "ann")
    bo = account_with_address(school, "bo")
    report = apply(school, student := Person("ann", username=ann.username))
    assert report.counts == {"created": 1}
    report = apply(school, student, person(school, "1", "ann"), person(school, "2", "bo"))
    assert report.counts == {"unchanged": 1, "unmatched": 2}
    assert all("an account with this e-mail address exists" in one.detail for one in report.outcomes[1:])
    assert roles(school) == {ann.id: Role.READER, bo.id: Role.NONE}


def test_who_cannot_be_invited_is_named_with_the_reason(school: School) -> None:
    school.open()
    colleague = account_with_address(school, "colleague")
    school.forge().set_group_access(school.course().group(), colleague, Role.GRADER)
    shared = [person(school, number, f"p{number}", email="office@uni.example") for number in ("3", "4")]
    report = apply(
        school,
        person(school, "1", "a", email=""),
        person(school, "2", "b", email="b@uni.example,evil@else.example"),
        *shared,
        person(school, "5", "colleague"),
        person(school, "6", "away", active=False),
    )
    assert report.counts == {"unmatched": 5, "failed": 1}
    details = [outcome.detail for outcome in report.outcomes]
    assert "is not in the roster" in details[0]
    assert "is not exactly one" in details[1]
    assert all("several people of the roster" in detail for detail in details[2:4])
    assert "could not be invited: Access level should be" in details[4]
    assert open_invitations(school) == set()


@pytest.mark.parametrize(("sent", "status"), [(False, "failed"), (True, "invited")])
def test_when_the_forge_breaks_off_only_what_it_then_lists_counts(
    school: School, monkeypatch: pytest.MonkeyPatch, sent: bool, status: str
) -> None:
    school.open()
    una = person(school, "1", "una")
    school.token("ben")
    invite = GitLab.invite
    with monkeypatch.context() as patched:

        def breaking(forge: GitLab, project_id: int, emails: Sequence[str]) -> dict[str, str]:
            if sent:
                invite(forge, project_id, emails)
            raise ForgeUnreachable("the forge is down")

        patched.setattr(GitLab, "invite", breaking)
        report = apply(school, una, person(school, "2", "ben"), mapped={"2": "ben"})
    assert report.counts == {status: 1, "created": 1}
    assert apply(school, una).counts == {"invited": 1, "dropped": 1}


def test_an_invitation_of_a_run_that_was_killed_is_found_and_recorded(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open()
    una = person(school, "1", "una")
    with monkeypatch.context() as patched:

        def killed(*arguments: object) -> None:
            raise ForgeUnreachable("the forge is down")

        patched.setattr("git_exchange.provisioning.invitations.record_invited", killed)
        with pytest.raises(ForgeUnreachable):
            apply(school, una)
    assert read_invited(school.course()) == {}
    assert apply(school, una).counts == {"invited": 1}
    (at,) = read_invited(school.course()).values()
    assert abs(at - school.course().now()) < timedelta(minutes=5)


def test_when_the_forge_has_forgotten_an_invitation_another_one_is_sent(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open()
    una = person(school, "1", "una")
    apply(school, una)
    later = school.course().now() + timedelta(days=91)

    def now(self: object) -> datetime:
        return later

    monkeypatch.setattr("git_exchange.course.course.Course.now", now)
    school.api("DELETE", f"/projects/{school.course().assignments().id}/invitations/{address(school, 'una')}")
    assert apply(school, una).counts == {"invited": 1}
    assert open_invitations(school) == {address(school, "una")}


def test_only_an_instructor_and_only_where_the_forge_can_do_it(school: School) -> None:
    school.open(staff=(("gina", "grader"),))
    roster = Roster((person(school, "1", "una"),), "the test", covers=STUDENTS)
    with pytest.raises(Forbidden, match="Only an instructor of the course can invite"):
        plan_roster(school.course("gina"), school.forge("gina"), roster, invite=True)
    gitea = Gitea(school.settings(), school.token("teacher"))
    with pytest.raises(ConfigurationError, match="cannot invite people by e-mail") as caught:
        apply_roster(school.course(), gitea, roster, invite=True)
    assert "--create-accounts" in caught.value.hint
    assert open_invitations(school) == set()
