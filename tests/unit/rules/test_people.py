from __future__ import annotations

import pytest

from git_exchange.rules import people
from git_exchange.rules.people import Names

ANN = Names("ann", "Ann", "Ångström", "ann@x.edu", "42")
NOBODY = Names("ann")


def test_what_is_written_is_read_back() -> None:
    odd = Names("b, o", 'B"o', "two\nlines", "", "")
    assert people.load(people.dump([odd, ANN])) == {"ann": ANN, "b, o": odd}
    assert people.load(b"") == {}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"first_name\nAnn\n", b"student_id,email\n,x\n"])
def test_what_is_no_list_of_names_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        people.load(content)


def test_a_list_with_fewer_columns_is_read() -> None:
    assert people.load(b"student_id,first_name\nann,Ann\n") == {"ann": Names("ann", "Ann")}


def test_what_a_roster_leaves_empty_says_nothing() -> None:
    assert people.merged(ANN, Names("ann", "Anna")) == Names("ann", "Anna", "Ångström", "ann@x.edu", "42")


def test_an_empty_row_gets_everything() -> None:
    assert people.to_write(ANN, NOBODY, NOBODY) == ANN
    # Removed from the gradebook and added again.
    assert people.to_write(ANN, NOBODY, ANN) == ANN


def test_what_somebody_typed_stays() -> None:
    typed = Names("ann", "Annie", "", "", "")
    assert people.to_write(ANN, typed, NOBODY) == Names("ann", "", "Ångström", "ann@x.edu", "42")
    assert people.to_write(ANN, typed, Names("ann", "Ann")).first_name == ""


def test_a_field_that_somebody_emptied_stays_empty() -> None:
    without_address = Names("ann", "Ann", "Ångström", "", "42")
    assert people.to_write(ANN, without_address, ANN) == NOBODY


def test_who_is_renamed_in_the_roster_is_renamed() -> None:
    married = Names("ann", "Ann", "Bohr", "ann@x.edu", "42")
    assert people.to_write(married, ANN, ANN) == Names("ann", "", "Bohr")
    assert people.to_write(married, married, ANN) == NOBODY


def test_a_roster_without_names_empties_nothing() -> None:
    assert people.to_write(NOBODY, ANN, ANN) == NOBODY
