"""The people of a course, as a roster names them. Pure values; who they are on the forge is decided elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from git_exchange.errors import ConfigurationError

ROLES = ("student", "grader", "instructor")
IDENTITIES = ("login", "sourced_id", "email", "lms_user_id")


@dataclass(frozen=True)
class Person:
    """Somebody in the course.

    ``person_id`` is nbgrader's student id, empty until somebody decides it (an LMS does not know it). ``username`` is
    the account on the forge that a person wrote down: files do, an LMS does not. ``platform`` and ``lms_user_id``
    together are what never changes in an LMS; both are empty for a file, whose ids are the identity. ``login``,
    ``email`` and ``sourced_id`` (the institution's number) only propose an account. ``active`` is False for somebody
    who is enrolled and may not take part at the moment: neither added nor dropped.
    """

    person_id: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    role: str = "student"
    username: str = ""
    platform: str = ""
    lms_user_id: str = ""
    login: str = ""
    sourced_id: str = ""
    active: bool = True

    @property
    def account(self) -> str:
        """The user name on the forge that the roster itself names: the column, else the id."""
        return self.username or self.person_id

    @property
    def key(self) -> tuple[str, str]:
        """What this person is recognised by in the next roster of the same source."""
        return (self.platform, self.lms_user_id) if self.platform else ("", self.person_id)

    @property
    def shown(self) -> str:
        """The person in messages: the id if there is one, else name and number in the LMS."""
        name = f"{self.first_name} {self.last_name}".strip() or self.login or "somebody"
        return self.person_id or f"{name} (LMS user {self.lms_user_id})"


@dataclass(frozen=True)
class SignIn:
    """How the people of an LMS sign in to the forge: by which ``provider``, and as what of IDENTITIES."""

    provider: str
    identity: str

    def of(self, person: Person) -> str:
        """Return the person's id at the institution's sign-in, "" if the LMS does not tell it."""
        said = {
            "login": person.login,
            "sourced_id": person.sourced_id,
            "email": person.email,
            "lms_user_id": person.lms_user_id,
        }
        return said[self.identity]


@dataclass(frozen=True)
class LeftOut:
    """Somebody whom the source names and who gets no part in the course, and why."""

    who: str
    why: str


@dataclass(frozen=True)
class Roster:
    """Everybody in the course, each once, and where the list came from (for messages).

    Absence from it means having left the course, for people of the roles that it ``covers``: a list of students alone
    says nothing about the staff. ``sign_in`` is how its people sign in to the forge, None if that is not known.
    """

    people: tuple[Person, ...]
    source: str
    left_out: tuple[LeftOut, ...] = ()
    covers: frozenset[str] = frozenset(ROLES)
    sign_in: SignIn | None = None

    def __post_init__(self) -> None:
        if not self.people:
            raise ConfigurationError(
                f"The roster {self.source} names nobody who takes part in the course.", hint="Nothing was changed."
            )
        self._each_once("id", lambda person: person.person_id)
        self._each_once("forge account", lambda person: person.account.casefold())
        self._each_once("LMS user", lambda person: person.lms_user_id)
        unknown = sorted({person.role for person in self.people} - set(ROLES))
        if unknown:
            raise ConfigurationError(
                f"The roster {self.source} names unknown roles: {', '.join(unknown)}.",
                hint=f"Use one of: {', '.join(ROLES)}.",
            )

    def _each_once(self, what: str, of: Callable[[Person], str]) -> None:
        counted = Counter(name for person in self.people if (name := of(person)))
        twice = sorted(name for name, number in counted.items() if number > 1)
        if twice:
            raise ConfigurationError(
                f"The roster {self.source} gives the same {what} to several people: {', '.join(twice[:5])}.",
                hint="Correct it; nothing was changed.",
            )
