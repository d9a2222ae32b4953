"""Who is whose account by the institution's sign-in: what the forge's administrator is told, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from git_exchange.course.course import Course
from git_exchange.errors import Forbidden
from git_exchange.events import Event, Listener
from git_exchange.forge.ports import Account, ForgeAccounts, SignInAs
from git_exchange.provisioning.identity import Key
from git_exchange.provisioning.people import Person, SignIn


def finder(
    course: Course, accounts: ForgeAccounts, sign_in: SignIn | None, listener: Listener
) -> Callable[[Sequence[Person]], Mapping[Key, tuple[int, str]]]:
    """Return what finds accounts of people by the sign-in: exact ids only, and none that several people share.

    Without an administrator's token it says so in one line and finds nobody.
    """

    def find(people: Sequence[Person]) -> Mapping[Key, tuple[int, str]]:
        if sign_in is None:
            return {}
        ids = Counter(sign_in.of(person) for person in people)
        asked = [person for person in people if sign_in.of(person) and ids[sign_in.of(person)] == 1]
        try:
            found = course.in_parallel(lambda person: _ask(accounts, sign_in, person), asked)
        except Forbidden:
            listener(
                Event(
                    f"The forge tells only a site administrator's token who signs in by {sign_in.provider!r}: nobody is"
                    " matched by that.",
                    "warning",
                )
            )
            return {}
        return {
            person.key: (account.id, account.username)
            for person, account in zip(asked, found, strict=True)
            if account is not None
        }

    return find


def _ask(accounts: ForgeAccounts, sign_in: SignIn, person: Person) -> Account | None:
    return accounts.find_signed_in(SignInAs(sign_in.provider, sign_in.of(person)))
