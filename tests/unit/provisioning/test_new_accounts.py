"""People of an LMS get accounts: by the sign-in that they have, else new ones, and nobody by a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from git_exchange.course.enrolments import dropped_and_waiting, read_enrolments
from git_exchange.course.register import read_register
from git_exchange.errors import Forbidden, ForgeUnreachable
from git_exchange.forge.connect import connect_accounts, connect_admin
from git_exchange.forge.ports import ForgeAccounts, Role, SignInAs
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.people import Person, Roster, SignIn
from git_exchange.provisioning.sign_in import finder
from git_exchange.report import Report
from tests.unit.school import COURSE, School

LMS = "https://lms.example.edu"
STUDENTS = frozenset({"student"})


def person(school: School, number: str, login: str, **said: Any) -> Person:
    email = said.pop("email", f"{login}.{school.mark}@uni.example")
    return Person(platform=LMS, lms_user_id=number, login=login and school.username(login), email=email, **said)


def accounts(school: School) -> ForgeAccounts:
    return connect_accounts(school.settings(), school.admin)


def administrator(school: School) -> Any:
    """Return course and connection of the forge's administrator, an instructor of the course."""
    forge = connect_admin(school.settings("admin"), school.admin)
    school.forge().set_group_access(school.course().group(), forge.account(), Role.INSTRUCTOR)
    return replace_course(school, forge), forge


def replace_course(school: School, forge: Any) -> Any:
    from git_exchange.course.course import Course

    return Course(school.settings("admin"), COURSE, forge, school.admin)


def apply(
    school: School, *people: Person, sign_in: SignIn | None = None, create: bool = True, names: bool = True
) -> Report:
    course, forge = administrator(school)
    roster = Roster(people, "the test", covers=STUDENTS, sign_in=sign_in)
    report, _ = apply_roster(
        course,
        forge,
        roster,
        signed_in=finder(course, accounts(school), sign_in, school.listen),
        accounts=accounts(school) if create else None,
        names=names,
        allow_drops=100,
        listener=school.listen,
    )
    return report


def statuses(report: Report) -> dict[str, str]:
    return {outcome.subject: outcome.status for outcome in report.outcomes}


def test_who_signs_in_by_the_institution_is_matched_exactly_and_nobody_else(school: School) -> None:
    school.open()
    for number, name in enumerate(("cleo", "dan")):
        accounts(school).open_account(
            school.username(name),
            name=name,
            email=f"{number}.{school.mark}@elsewhere.example",
            sign_in=SignInAs("saml", f"{name}-{school.mark}"),
        )
    cleo, dan = (person(school, number, name) for number, name in (("1", "cleo"), ("2", "dan")))
    report = apply(school, cleo, replace(dan, login=dan.login.upper()), sign_in=SignIn("saml", "login"), create=False)
    assert report.counts == {"created": 1, "unmatched": 1}
    assert read_enrolments(school.course())[school.username("cleo")].how == "sign-in"


def test_an_id_that_several_people_have_matches_none_of_them(school: School) -> None:
    school.open()
    sign_in = SignInAs("saml", f"office-{school.mark}@uni.example")
    accounts(school).open_account(school.username("office"), name="O", email=sign_in.identity, sign_in=sign_in)
    both = (person(school, number, f"p{number}", email=sign_in.identity) for number in ("1", "2"))
    report = apply(school, *both, sign_in=SignIn("saml", "email"), create=False)
    assert report.counts == {"unmatched": 2}


def test_without_an_administrators_token_one_line_says_so_and_people_stay_unmatched(school: School) -> None:
    school.open()
    sign_in = SignIn("saml", "login")
    roster = Roster(tuple(person(school, str(n), f"p{n}") for n in range(3)), "t", covers=STUDENTS, sign_in=sign_in)
    course, forge = school.course(), school.forge()
    found = finder(course, connect_accounts(school.settings(), school.token("teacher")), sign_in, school.listen)
    report, _ = apply_roster(course, forge, roster, signed_in=found)
    assert report.counts == {"unmatched": 3}
    assert school.heard().count("site administrator's token") == 1


def test_an_account_is_made_with_the_sign_in_and_the_seat_in_the_same_run(school: School) -> None:
    school.open()
    cleo = person(school, "1", "cleo", first_name="Cleo", last_name="Day", sourced_id=f"s1-{school.mark}")
    sign_in = SignIn("saml", "sourced_id")
    username = school.username("cleo")
    assert statuses(apply(school, cleo, sign_in=sign_in)) == {username: "created"}
    account = accounts(school).find_signed_in(SignInAs("saml", f"s1-{school.mark}"))
    assert account is not None
    assert (account.username, account.name) == (username, "Cleo Day")
    assert read_register(school.course())[username].account_id == account.id
    entry = read_enrolments(school.course())[username]
    assert (entry.platform, entry.lms_user_id, entry.how) == (LMS, "1", "created")
    assert apply(school, cleo, sign_in=sign_in).counts == {"unchanged": 1}


def test_a_person_of_a_file_gets_the_account_that_the_file_names(school: School) -> None:
    school.open()
    username = school.username("bo")
    bo = Person("s4711", "Bo", "Ek", f"bo.{school.mark}@uni.example", username=username)
    assert statuses(apply(school, bo)) == {"s4711": "created"}
    assert read_register(school.course())["s4711"].username == username


def test_nobody_gets_an_account_that_could_be_mistaken_for_anothers(school: School) -> None:
    school.open("ann")
    twice = [person(school, number, "", email=f"eva@{number}.example") for number in ("1", "2")]
    taken = person(school, "3", "Ann Ann", email=f"ann--{school.mark}@uni.example")
    nameless = person(school, "4", "", email="")
    shared = [person(school, n, f"q{n}", sourced_id="7", email=f"q{n}.{school.mark}@uni.example") for n in ("5", "6")]
    away = person(school, "8", "away", active=False)
    report = apply(
        school,
        *(replace(one, sourced_id=one.lms_user_id) for one in twice),
        replace(taken, login="", sourced_id="3"),
        nameless,
        *shared,
        away,
        Person("ann", username=school.username("ann")),
        sign_in=SignIn("saml", "sourced_id"),
    )
    assert report.counts == {"unmatched": 7, "unchanged": 1}
    details = "\n".join(outcome.detail for outcome in report.outcomes)
    assert details.count("several people would get the user name eva") == 2
    assert f"there is an account {school.username('ann')} already" in details
    assert "needs an e-mail address" in details
    assert details.count("several people of the roster sign in as 7") == 2


def test_only_an_administrator_who_is_an_instructor_too_makes_accounts(school: School) -> None:
    school.open()
    ida = person(school, "1", "ida")
    roster = Roster((ida,), "the test", covers=STUDENTS)
    with pytest.raises(Forbidden, match="Only a site administrator"):
        apply_roster(school.course(), school.forge(), roster, accounts=accounts(school))
    forge = connect_admin(school.settings("admin"), school.admin)
    with pytest.raises(Forbidden, match="no instructor of the course"):
        apply_roster(replace_course(school, forge), forge, roster, accounts=accounts(school))
    assert school.forge().find_account(school.username("ida")) is None


def test_an_address_that_somebody_else_has_fails_for_that_person_alone(school: School) -> None:
    school.open()
    address = f"joe.{school.mark}@uni.example"
    accounts(school).create_account(school.username("other"), name="Other", email=address)
    joe, kim = person(school, "1", "jo", email=address), person(school, "2", "kim")
    assert statuses(apply(school, joe, kim)) == {school.username("jo"): "failed", school.username("kim"): "created"}


def test_an_account_whose_seat_failed_is_known_to_the_next_run(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    school.open()
    lea = person(school, "1", "lea")
    with monkeypatch.context() as patched:

        def broken(*arguments: object) -> None:
            raise ForgeUnreachable("the forge is down")

        patched.setattr("git_exchange.provisioning.carry_out.enrol", broken)
        assert apply(school, lea).counts == {"failed": 1}
    assert apply(school, lea, create=False).counts == {"created": 1}
    assert school.username("lea") in read_register(school.course())


def test_who_waits_for_an_account_is_recorded_until_there_is_one(school: School) -> None:
    school.open()
    mia = person(school, "1", "mia", first_name="Mia", last_name="Ro")
    apply(school, mia, create=False)
    assert [one.who for one in dropped_and_waiting(school.course())[1]] == ["Mia Ro (LMS user 1)"]
    apply(school, mia, create=False, names=False)
    assert [one.who for one in dropped_and_waiting(school.course())[1]] == ["LMS user 1"]
    apply(school, mia)
    assert dropped_and_waiting(school.course())[1] == ()
