from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.attempt import Attempt
from git_exchange.rules.collect_pins import CollectPin, dump, find, is_reference, load

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
A, B = "a" * 40, "ab" + "b" * 62
# What spreadsheets and roster files hold; a carriage return alone is a line's end to a CSV reader.
IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


def attempt(number: int, commit: str) -> Attempt:
    return Attempt(number, commit, "t" * 40, NOON, NOON, None, True, True, "push-event", "ann", None)


@given(
    st.dictionaries(
        st.tuples(IDS, IDS),
        st.tuples(
            st.sampled_from([A, B]),
            IDS,
            st.datetimes(datetime(1971, 1, 1), timezones=st.just(timezone.utc)),
        ),
        max_size=5,
    )
)
def test_pins_come_back_from_the_file(content: dict[tuple[str, str], tuple[str, str, datetime]]) -> None:
    pins = {CollectPin(*key, *value) for key, value in content.items()}
    assert set(load(dump(pins))) == pins


def test_of_two_rows_for_a_student_the_last_one_counts_and_a_byte_order_mark_is_no_name() -> None:
    rows = dump([CollectPin("ps1", "ann", A, "ada", NOON)]).decode()
    again = f"ps1,ann,{B},tim,2026-11-20T13:00:00Z\n"
    assert load(("\ufeff" + rows + again).encode()) == (CollectPin("ps1", "ann", B, "tim", NOON + timedelta(hours=1)),)


@pytest.mark.parametrize(
    "row", ["ps1,ann", "ps1,ann,HEAD,ada,2026-11-20T13:00:00Z", f"ps1,ann,{A},ada,2026-11-20 13:00:00"]
)
def test_a_damaged_row_is_named(row: str) -> None:
    with pytest.raises(ValueError, match="row 2"):
        load(f"assignment_id,student_id,commit,pinned_by,pinned_at\n{row}\n".encode())


def test_an_attempt_is_named_by_its_number_or_by_seven_digits_of_its_commit() -> None:
    attempts = [attempt(1, A), attempt(3, "a" * 7 + "c" * 33), attempt(4, "c" * 40)]
    assert find(attempts, "3") is attempts[1]
    assert find(attempts, "2") is None
    assert find(attempts, "CCCCCCC") is attempts[2]
    assert find(attempts, "ddddddd") is None
    with pytest.raises(ValueError, match="several"):
        find(attempts, "aaaaaaa")
    for nothing in ("0", "-1", "latest", "abc", "", "3.0"):
        assert not is_reference(nothing)
