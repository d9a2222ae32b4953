"""Who is who: only the record, a written map and the institution's sign-in bind a person to an account."""

from __future__ import annotations

from git_exchange.provisioning.identity import Bound, Identified, MapEntry, Unmatched, identify
from git_exchange.provisioning.people import Person

LMS = "https://lms.example.edu"


def person(number: str, **said: str) -> Person:
    return Person(platform=LMS, lms_user_id=number, **said)


def one_of(answer: tuple[list[Identified], list[Unmatched]]) -> Identified:
    (found,), rest = answer
    assert not rest
    return found


def refused(answer: tuple[list[Identified], list[Unmatched]]) -> Unmatched:
    found, (rest,) = answer
    assert not found
    return rest


def test_a_person_of_a_file_is_the_account_that_the_file_names() -> None:
    found = one_of(identify([Person("4711", username="cleo")], []))
    assert (found.person.person_id, found.username, found.how) == ("4711", "cleo", "roster")


def test_a_person_of_a_file_without_an_account_has_the_one_called_like_the_id() -> None:
    assert one_of(identify([Person("bo")], [])).username == "bo"


def test_a_new_person_of_an_lms_is_nobody_until_somebody_says_who() -> None:
    assert refused(identify([person("5", login="bo", email="bo@example.edu")], [])).why


def test_the_map_binds_and_gives_the_user_name_as_id_where_it_names_no_other() -> None:
    found = one_of(identify([person("5")], [], [MapEntry("5", "bo")]))
    assert (found.person.person_id, found.username, found.account_id, found.how) == ("bo", "bo", None, "map")


def test_the_institutions_sign_in_binds_by_number() -> None:
    found = one_of(identify([person("5")], [], signed_in={(LMS, "5"): (77, "bo")}))
    assert (found.person.person_id, found.account_id, found.how) == ("bo", 77, "sign-in")


def test_the_record_keeps_the_id_when_the_login_changes() -> None:
    record = [Bound((LMS, "5"), "bo", 77, "bo")]
    found = one_of(identify([person("5", login="bo.married")], record))
    assert (found.person.person_id, found.account_id, found.how) == ("bo", 77, "record")


def test_a_reused_name_does_not_inherit_the_id_of_who_had_it() -> None:
    record = [Bound((LMS, "5"), "bo", 77, "robert")]
    unmatched = refused(identify([person("6")], record, signed_in={(LMS, "6"): (99, "bo")}))
    assert "the id bo is another person's" in unmatched.why


def test_a_reused_name_gets_another_id_by_the_map_though_the_old_account_was_called_so() -> None:
    record = [Bound((LMS, "5"), "bo", 77, "bo")]
    found = one_of(identify([person("6")], record, [MapEntry("6", "bo", "bo-2")]))
    assert (found.person.person_id, found.username) == ("bo-2", "bo")


def test_an_account_on_record_is_not_given_to_a_second_person() -> None:
    record = [Bound((LMS, "5"), "bo", 77, "bo")]
    unmatched = refused(identify([person("6")], record, signed_in={(LMS, "6"): (77, "robert")}))
    assert "is bo's" in unmatched.why


def test_two_people_cannot_have_one_account_by_the_map() -> None:
    found, rest = identify([person("5"), person("6")], [], [MapEntry("5", "bo", "a"), MapEntry("6", "BO", "b")])
    assert [one.person.person_id for one in found] == ["a"]
    assert "is a's" in rest[0].why


def test_a_course_that_was_kept_by_a_file_goes_on_with_an_lms_by_the_map() -> None:
    record = [Bound(("", "bo"), "bo", 77, "bo")]
    found = one_of(identify([person("5")], record, [MapEntry("5", "bo")]))
    assert (found.person.person_id, found.how) == ("bo", "map")


def test_without_the_map_an_lms_person_does_not_take_over_what_a_file_named() -> None:
    record = [Bound(("", "bo"), "bo", 77, "bo")]
    assert refused(identify([person("5")], record, signed_in={(LMS, "5"): (99, "bo")})).why


def test_a_course_that_was_kept_by_an_lms_goes_on_with_a_file() -> None:
    record = [Bound((LMS, "5"), "bo", 77, "robert")]
    found = one_of(identify([Person("bo")], record))
    assert (found.account_id, found.how) == (77, "record")


def test_a_file_that_names_another_account_than_the_record_is_looked_up_again() -> None:
    record = [Bound(("", "bo"), "bo", 77, "bo")]
    found = one_of(identify([Person("bo", username="robert")], record))
    assert (found.username, found.account_id, found.how) == ("robert", None, "roster")


def test_everybody_is_either_found_or_named() -> None:
    people = [person(str(number)) for number in range(20)]
    found, rest = identify(people, [], [MapEntry(str(number), f"u{number}") for number in range(0, 20, 2)])
    assert len(found) + len(rest) == 20
    assert {one.person.lms_user_id for one in rest} == {str(number) for number in range(1, 20, 2)}
