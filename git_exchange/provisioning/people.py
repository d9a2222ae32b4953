"""The people of a course, as a roster names them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from git_exchange.errors import ConfigurationError

ROLES = ("student", "grader", "instructor")


@dataclass(frozen=True)
class Person:
    """One line of a roster. ``person_id`` is nbgrader's student id; ``username`` the account on the forge."""

    person_id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    role: str = "student"
    username: str = ""
    lms_user_id: str = ""

    @property
    def account(self) -> str:
        """The user name on the forge: the one that the roster names, else the id itself."""
        return self.username or self.person_id


@dataclass(frozen=True)
class Roster:
    """Everybody in the course, each once, and where the list came from (for messages)."""

    people: tuple[Person, ...]
    source: str

    def __post_init__(self) -> None:
        if not self.people:
            raise ConfigurationError(f"The roster {self.source} names nobody.", hint="Nothing was changed.")
        for what, names in (
            ("id", [person.person_id for person in self.people]),
            ("forge account", [person.account.casefold() for person in self.people]),
        ):
            twice = sorted(name for name, number in Counter(names).items() if number > 1)
            if twice:
                raise ConfigurationError(
                    f"The roster {self.source} gives the same {what} to several people: {', '.join(twice[:5])}.",
                    hint="Correct it; nothing was changed.",
                )
        unknown = sorted({person.role for person in self.people} - set(ROLES))
        if unknown:
            raise ConfigurationError(
                f"The roster {self.source} names unknown roles: {', '.join(unknown)}.",
                hint=f"Use one of: {', '.join(ROLES)}.",
            )
