"""The list of extensions: one a student and assignment, readable and writable by people too."""

from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.rules.extension import Extension, Extensions, dump, load

UNTIL = datetime(2026, 11, 21, 17, tzinfo=timezone.utc)


def test_what_is_written_is_read_back() -> None:
    granted = Extensions().having(
        [
            Extension("ps1", "ann", UNTIL, 'ill, "badly"\nuntil Friday', "teacher"),
            Extension("ps1", "bo@uni", UNTIL.astimezone(timezone(timedelta(hours=5)))),
            Extension("ps2", "ann", UNTIL),
        ]
    )
    assert load(dump(granted)) == granted
    assert load(dump(granted)).of("ps1") == {"ann": UNTIL, "bo@uni": UNTIL}
    assert load("") == Extensions()


def test_a_new_extension_takes_the_place_of_the_old_one_and_one_taken_back_is_gone() -> None:
    first = Extensions().having([Extension("ps1", "ann", UNTIL), Extension("ps1", "ben", UNTIL)])
    later = first.having([Extension("ps1", "ann", UNTIL + timedelta(days=1))])
    assert later.of("ps1") == {"ann": UNTIL + timedelta(days=1), "ben": UNTIL}
    assert later.without("ps1", ["ann"]).of("ps1") == {"ben": UNTIL}
    assert later.without("ps2", ["ann"]) == later


def test_a_list_that_people_edited_is_understood() -> None:
    edited = (
        "\ufeffstudent_id,assignment_id,until,note\r\n"
        "ann,ps1,2026-11-21 18:00 Europe/Zurich,by phone\r\n"
        ",,,\r\n"
        "ann,ps1,2026-11-21T17:30Z,again\r\n"
    )
    assert load(edited).of("ps1") == {"ann": UNTIL + timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("assignment_id,until\nps1,2026-11-21T17:00Z\n", "line 1: the column student_id"),
        (
            "assignment_id,student_id,until\nps1,ann,2026-11-21T17:00Z\nps1,ben,2026-11-21 17:00\n",
            "line 3: .*time zone",
        ),
        ("assignment_id,student_id,until\nps1,,2026-11-21T17:00Z\n", "line 2: student_id is empty"),
    ],
)
def test_a_damaged_list_is_refused_with_the_line(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load(text)
