"""Times that people type: what is understood, what is refused, and what the refusal says."""

from datetime import datetime, timezone

import pytest

from git_exchange.rules.until import in_zone, parse_until


def moment(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[arg-type]  # year, month and so on


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-21T18:00+01:00", moment(2026, 11, 21, 17)),
        ("2026-11-21T18:00:30+0130", moment(2026, 11, 21, 16, 30, 30)),
        ("2026-11-21 18:00 -05", moment(2026, 11, 21, 23)),
        ("2026-11-21T17:00Z", moment(2026, 11, 21, 17)),
        ("2026-11-21 17:00 utc", moment(2026, 11, 21, 17)),
        ("2026-11-21 18:00 Europe/Zurich", moment(2026, 11, 21, 17)),
        ("2026-07-21 8:00 Europe/Zurich", moment(2026, 7, 21, 6)),
        ("2026-07-21 8:00:30Z", moment(2026, 7, 21, 8, 0, 30)),
        ("2026-07-21 18:00 America/Argentina/Buenos_Aires", moment(2026, 7, 21, 21)),
        ("2026-07-21 18:00 Asia/Kolkata", moment(2026, 7, 21, 12, 30)),
    ],
)
def test_a_time_with_its_zone_is_understood_and_kept_in_utc(typed: str, expected: datetime) -> None:
    assert parse_until(typed) == expected
    assert parse_until(typed).tzinfo is timezone.utc


@pytest.mark.parametrize("zone", ["Europe/Zurich", "+01:00"])
def test_the_zone_may_be_given_apart_and_does_not_replace_one_that_is_written(zone: str) -> None:
    assert parse_until("2026-11-21 18:00", zone) == moment(2026, 11, 21, 17)
    assert parse_until("2026-11-21 18:00Z", zone) == moment(2026, 11, 21, 18)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("2026-11-21 18:00", "does not say in which time zone.*--timezone"),
        ("2026-11-21", "no time of day"),
        ("2026-11-21 Europe/Zurich", "no time of day"),
        ("tomorrow", "not a time"),
        ("21.11.2026 18:00Z", "not a time"),
        ("2026-02-30 18:00Z", "not in the calendar"),
        ("2026-11-21 25:00Z", "not in the calendar"),
        ("2026-11-21 18:00 CEST", "does not name one time zone"),
        ("2026-11-21 18:00 Europe/Zürich", "not a time"),
        ("2026-11-21 18:00 Europe/Zurch", "no time zone 'Europe/Zurch'"),
        ("2026-11-21 18:00+25:00", "no offset"),
        ("2026-11-21 18:00+01:75", "no offset"),
    ],
)
def test_what_could_mean_two_things_or_nothing_is_refused_with_what_to_write(typed: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_until(typed)


def test_a_time_that_comes_twice_is_refused_with_both_readings_and_each_is_understood() -> None:
    with pytest.raises(ValueError, match="comes twice") as refused:
        parse_until("2026-10-25 02:30 Europe/Zurich")
    assert "2026-10-25T02:30+02:00 (2026-10-25 00:30 UTC" in str(refused.value)
    assert "2026-10-25T02:30+01:00 (2026-10-25 01:30 UTC" in str(refused.value)
    assert parse_until("2026-10-25T02:30+02:00") == moment(2026, 10, 25, 0, 30)
    assert parse_until("2026-10-25 03:00 Europe/Zurich") == moment(2026, 10, 25, 2)
    assert parse_until("2026-10-25 01:59 Europe/Zurich") == moment(2026, 10, 24, 23, 59)


def test_a_time_that_never_comes_is_refused_with_what_the_clocks_show_instead() -> None:
    with pytest.raises(ValueError, match="does not exist") as refused:
        parse_until("2026-03-29 02:30 Europe/Zurich")
    assert "2026-03-29T02:30+01:00 (2026-03-29 01:30 UTC, 03:30 there)" in str(refused.value)
    assert "2026-03-29T02:30+02:00 (2026-03-29 00:30 UTC, 01:30 there)" in str(refused.value)
    assert parse_until("2026-03-29 03:00 Europe/Zurich") == moment(2026, 3, 29, 1)


def test_a_moment_is_shown_with_the_offset_of_this_machines_clock() -> None:
    shown = in_zone(moment(2026, 11, 21, 17))
    assert parse_until(shown) == moment(2026, 11, 21, 17)
