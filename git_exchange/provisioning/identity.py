"""Who is who: from a person in a roster to nbgrader's student id and an account on the forge. Pure.

Automatic is only what cannot be somebody else: the course's own record, a map that a person wrote, the institution's
sign-in. A user name or an address proposes an account, and a person confirms it in the map. Nobody is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from git_exchange.provisioning.people import Person

How = Literal["record", "map", "roster", "sign-in"]
Key = tuple[str, str]
# Why somebody is unmatched of whom nothing is known.
NO_ACCOUNT = "no account on the forge is known to be this person's"


@dataclass(frozen=True)
class Bound:
    """What is on record of somebody: the key in the source, the id in nbgrader, the account by its number."""

    key: Key
    person_id: str
    account_id: int
    username: str


@dataclass(frozen=True)
class MapEntry:
    """One line of the map that the staff keep: this LMS user is this student and this account.

    ``person_id`` may be empty: it is then the account's user name.
    """

    lms_user_id: str
    username: str
    person_id: str = ""


@dataclass(frozen=True)
class Identified:
    """A person with the account: by number if it is on record, else by the name that ``how`` allows to trust."""

    person: Person
    username: str
    account_id: int | None
    how: How


@dataclass(frozen=True)
class Unmatched:
    """A person without an account, why, and whose account it may be: user names for a person to look at."""

    person: Person
    why: str
    proposals: tuple[str, ...] = ()


def identify(
    people: Iterable[Person],
    record: Sequence[Bound],
    mapped: Sequence[MapEntry] = (),
    signed_in: Mapping[Key, tuple[int, str]] | None = None,
) -> tuple[list[Identified], list[Unmatched]]:
    """Return who is known and who is not, each person in one of the two, in the roster's order.

    ``signed_in`` maps keys to (account number, user name) where the forge knows the institution's sign-in. An id or an
    account that is another person's makes the later one unmatched.
    """
    by_key = {bound.key: bound for bound in record}
    # A file's ids are the identity, whatever source was used before.
    by_key |= {("", bound.person_id): bound for bound in record}
    by_map = {entry.lms_user_id: entry for entry in mapped}
    taken = _Taken(record)
    found: list[Identified] = []
    open_: list[Unmatched] = []
    for person in people:
        one = _one(person, by_key.get(person.key), by_map.get(person.lms_user_id), (signed_in or {}).get(person.key))
        if one is None:
            open_.append(Unmatched(person, NO_ACCOUNT))
            continue
        why = taken.by_another(one)
        if why:
            open_.append(Unmatched(person, why))
        else:
            taken.take(one)
            found.append(one)
    return found, open_


def _one(
    person: Person, bound: Bound | None, entry: MapEntry | None, signed_in: tuple[int, str] | None
) -> Identified | None:
    if entry is not None and person.platform:
        # What a person wrote overrules the record, under the id that the person's work already has.
        person_id = entry.person_id or (bound.person_id if bound else entry.username)
        return Identified(replace(person, person_id=person_id), entry.username, None, "map")
    if bound is not None:
        named = person.username if not person.platform else ""
        if named and named.casefold() != bound.username.casefold():
            return Identified(person, named, None, "roster")
        return Identified(replace(person, person_id=bound.person_id), bound.username, bound.account_id, "record")
    if person.person_id:
        return Identified(person, person.account, None, "roster")
    if signed_in is not None:
        number, username = signed_in
        return Identified(replace(person, person_id=username), username, number, "sign-in")
    return None


class _Taken:
    """Whose ids and accounts are whose, on record and in this roster.

    A recorded account is compared by its number only: names of accounts change, and others can then take them.
    """

    def __init__(self, record: Iterable[Bound]) -> None:
        bounds = list(record)
        self._ids = {bound.person_id: bound.key for bound in bounds}
        self._numbers = {bound.account_id: bound.person_id for bound in bounds}
        self._names: dict[str, str] = {}

    def by_another(self, one: Identified) -> str:
        """Return why the id or the account cannot be this person's, "" if it can."""
        person = one.person
        holder = self._ids.get(person.person_id, person.key)
        # A file and a map are written by a person: they may give a student a new key, never two of an LMS one id.
        written = not person.platform or (one.how == "map" and not holder[0])
        if holder != person.key and not written:
            return f"the id {person.person_id} is another person's; give this one another id in the map"
        owner = self._numbers.get(one.account_id, "") if one.account_id is not None else ""
        owner = owner or self._names.get(one.username.casefold(), "")
        if owner and owner != person.person_id:
            return f"the account {one.username} is {owner}'s"
        return ""

    def take(self, one: Identified) -> None:
        """Note the id and the account as this person's."""
        self._ids[one.person.person_id] = one.person.key
        self._names[one.username.casefold()] = one.person.person_id
        if one.account_id is not None:
            self._numbers[one.account_id] = one.person.person_id
