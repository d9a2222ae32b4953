"""Times in text: what nbgrader reads, and ISO 8601."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from git_exchange.rules import times

ZONES = st.timedeltas(min_value=timedelta(hours=-14), max_value=timedelta(hours=14)).map(
    lambda delta: timezone(timedelta(minutes=delta // timedelta(minutes=1)))
)
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 3), max_value=datetime(9990, 1, 1), timezones=ZONES)


@given(MOMENTS)
def test_a_timestamp_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert times.parse_timestamp(times.timestamp(moment)) == moment
    assert times.parse_timestamp(times.timestamp(moment)).utcoffset() == timedelta(0)


@given(MOMENTS)
def test_nbgrader_reads_the_same_moment(moment: datetime) -> None:
    assert parse_utc(times.timestamp(moment)) == moment.astimezone(timezone.utc).replace(tzinfo=None)


@given(MOMENTS)
def test_an_iso_time_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert times.parse_iso(times.isoformat(moment)) == moment
    assert times.parse_iso(moment.isoformat()) == moment


@given(MOMENTS, MOMENTS)
def test_iso_times_sort_as_text(one: datetime, other: datetime) -> None:
    assert (times.isoformat(one) < times.isoformat(other)) == (one < other)


def test_a_timestamp_is_one_line_in_utc_with_microseconds() -> None:
    zurich = timezone(timedelta(hours=1), "CET")
    assert times.timestamp(datetime(2026, 11, 20, 11, 0, 0, 5, zurich)) == "2026-11-20 10:00:00.000005 UTC"
    assert times.timestamp(datetime(2026, 11, 20, 10, tzinfo=timezone.utc)) == "2026-11-20 10:00:00.000000 UTC"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 10:00:00.123456 UTC",
        " 2026-11-20 10:00:00.123456 UTC\n",
        "2026-11-20 10:00:00.123456",
        "2026-11-20T10:00:00.123456Z",
        "2026-11-20T10:00:00.123456789Z",
        "2026-11-20T11:00:00.123456+01:00",
        "2026-11-20T04:30:00.123456-0530",
        "2026-11-20 10:00:00.123456 GMT",
    ],
)
def test_timestamps_of_other_tools_are_read(text: str) -> None:
    assert times.parse_timestamp(text) == datetime(2026, 11, 20, 10, 0, 0, 123456, timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1700000000",
        "2026-11-20 10:00:00 CEST",
        "2026-11-20 10:00:00 PST",
        "2026-11-20",
        "2026-13-01 10:00:00 UTC",
        "2026-11-20 25:00:00 UTC",
        "2026-11-20 10:00:00 UTC UTC",
        "2026-11-20T10:00:00+99:00",
        "2026-11-20T10:00:00+01:60",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-11-20 10:00:00 UTC",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        times.parse_timestamp(text)


@pytest.mark.parametrize("text", ["2026-11-20T10:00:00", "2026-11-20 10:00:00.5"])
def test_an_iso_time_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        times.parse_iso(text)


def test_a_time_without_a_zone_is_not_written() -> None:
    naive = datetime(2026, 11, 20)
    for write in (times.timestamp, times.isoformat):
        with pytest.raises(ValueError, match="time zone"):
            write(naive)
