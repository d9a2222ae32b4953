from __future__ import annotations

from git_exchange.course.people import read_people
from git_exchange.course.register import read_register
from git_exchange.errors import CourseError, NotFound
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.people import Person, Roster
from git_exchange.rules.people import Names
from tests.unit.school import School


def test_a_seat_that_was_renamed_is_not_made_a_second_time(school: School) -> None:
    school.open("ann")
    number = school.course().seat_project("ann").id
    school.api("PUT", f"/projects/{number}", path="something-else")
    report = school.enrol("ann", "ben")
    assert {outcome.subject: outcome.status for outcome in report.outcomes} == {
        "teacher": "unchanged",
        "ann": "failed",
        "ben": "created",
    }
    assert "something-else" in report.failed[0].detail
    assert read_register(school.course())["ann"].project_id == number


def test_a_seat_whose_project_was_deleted_is_made_again(school: School) -> None:
    school.open("ann")
    gone = school.course().seat_project("ann").id
    school.api("DELETE", f"/projects/{gone}")
    assert school.enrol("ann").counts == {"unchanged": 1, "created": 1}
    assert read_register(school.course())["ann"].project_id != gone


def test_an_account_gets_no_second_seat_under_another_student_id(school: School) -> None:
    school.open("ann")
    roster = Roster((Person("s4711", username=school.username("ann")),), "the test")
    report, _ = apply_roster(school.course(), school.forge(), roster)
    assert report.counts == {"unmatched": 1}  # and nobody is dropped for the contradiction
    assert "the seat of ann" in report.outcomes[0].detail
    try:
        school.course().seat_project("s4711")
    except (CourseError, NotFound):
        pass
    else:
        raise AssertionError("a second seat was made")


def test_the_account_of_a_student_who_was_here_before_need_not_be_named_again(school: School) -> None:
    school.open("ann")
    report, _ = apply_roster(school.course(), school.forge(), Roster((Person("ann"),), "the test"))
    assert report.counts == {"unchanged": 1}


def test_an_archived_seat_of_somebody_in_the_roster_is_in_use_again(school: School) -> None:
    school.open("ann")
    seat = school.course().seat_project("ann")
    school.forge().archive(seat.id)
    assert school.enrol("ann").counts == {"unchanged": 1, "returned": 1}
    again = school.course().seat_project("ann")
    assert (again.id, again.archived) == (seat.id, False)


def test_names_are_recorded_for_the_staff_and_kept_when_a_roster_has_none(school: School) -> None:
    school.open("ann", "ben")
    ann = Person("ann", "Ann", "Lee", "ann@x.edu", username=school.username("ann"), lms_user_id="42")
    assert read_people(school.course()) == {}
    apply_roster(school.course(), school.forge(), Roster((ann,), "the test"), names=False)
    assert read_people(school.course()) == {}
    apply_roster(school.course(), school.forge(), Roster((ann, Person("ben")), "the test"))
    apply_roster(school.course(), school.forge(), Roster((Person("ann", "Anna"),), "the test"))
    assert read_people(school.course()) == {"ann": Names("ann", "Anna", "Lee", "ann@x.edu", "42")}
