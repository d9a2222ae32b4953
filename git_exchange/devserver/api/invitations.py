"""Invitations by e-mail to groups and projects: https://docs.gitlab.com/api/invitations/.

No mail is sent. Whoever has the link of a mail accepts by it, as any account: ``controls`` does that for tests.
"""

from __future__ import annotations

import re

from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, ApiError, Call, message, not_found
from git_exchange.devserver.api.members import Source, check_inherited, expiry, given_level, source_of
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.store.invitations import Invitation
from git_exchange.devserver.values import User

MOST = 100
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")

routes = Routes()


def invitations(call: Call) -> Answer:
    """List the invitations that nobody has accepted yet."""
    source = source_of(call, manage=True)
    found = call.site.store.invitations.of(source.kind, source.id)
    if query := call.parameters.text("query"):
        found = [one for one in found if query.lower() in one.email]
    part, headers = call.page(found)
    return Answer([entities.invitation(call.site, one) for one in part], headers=headers)


def invite(call: Call) -> Answer:
    """Invite addresses; who has an account with one of them is added, or gets another level, at once.

    The status is 201 whatever became of them.
    """
    source = source_of(call, manage=True)
    emails, numbers = call.parameters.texts("email"), call.parameters.texts("user_id")
    if not emails and not numbers:
        raise message(400, "400 Bad request - Must provide either email or user_id as a parameter")
    level = given_level(call, source)
    expires = expiry(call)
    if len(emails) + len(numbers) > MOST:
        return Answer({"status": "error", "message": f"Too many users specified (limit is {MOST})"}, 201)
    accounts = call.site.store.accounts
    refused: dict[str, str] = {}
    invited = [(email, accounts.find_by_email(email)) for email in dict.fromkeys(map(str.strip, emails))]
    invited += [(number, accounts.find(int(number)) if number.isdecimal() else None) for number in numbers]
    for shown, user in invited:
        if user is not None:
            refused |= _add(call, source, user, level)
        elif ADDRESS.fullmatch(shown):
            call.site.store.invitations.set(source.kind, source.id, shown, level, by=call.user.id, expires_at=expires)
        else:
            refused[shown] = "Invite email is invalid"
    return Answer({"status": "error", "message": refused} if refused else {"status": "success"}, 201)


def change_invitation(call: Call) -> Answer:
    """Change the level or the last day of an invitation."""
    source = source_of(call, manage=True)
    found = _find(call, source)
    if not call.parameters.has("access_level") and "expires_at" not in call.parameters.values:
        raise message(400, "400 Bad request")
    level = given_level(call, source) if call.parameters.has("access_level") else found.level
    expires = expiry(call) if "expires_at" in call.parameters.values else found.expires_at
    call.site.store.invitations.set(source.kind, source.id, found.email, level, by=call.user.id, expires_at=expires)
    return Answer(entities.invitation(call.site, _find(call, source)))


def take_back(call: Call) -> Answer:
    """Take an invitation back."""
    call.site.store.invitations.remove(_find(call, source_of(call, manage=True)))
    return Answer(None, 204)


for place in ("groups", "projects"):
    routes.add("GET", f"/{place}/:id/invitations")(invitations)
    routes.add("POST", f"/{place}/:id/invitations")(invite)
    routes.add("PUT", f"/{place}/:id/invitations/:email")(change_invitation)
    routes.add("DELETE", f"/{place}/:id/invitations/:email")(take_back)


def accept(call: Call, invitation: Invitation, user: User) -> None:
    """Let an account become the member that an address was invited as. Who is one already stays what it is."""
    store = call.site.store
    with store.database.transaction():
        if store.members.find(invitation.source, invitation.source_id, user.id) is None:
            store.members.set(
                invitation.source,
                invitation.source_id,
                user.id,
                invitation.level,
                by=invitation.created_by,
                expires_at=invitation.expires_at,
            )
        store.invitations.remove(invitation)


def _add(call: Call, source: Source, user: User, level: int) -> dict[str, str]:
    """Add an account, or bring a member to this level, down too; return what speaks against it by its address."""
    members = call.site.store.members
    known = members.find(source.kind, source.id, user.id)
    if known is not None and known.level > source.level:
        return {user.email: "not authorized to update member"}
    try:
        check_inherited(call, source, user, level)
    except ApiError as error:
        (reason,) = error.answer.body["message"]["access_level"]
        return {user.email: f"Access level {reason}"}
    members.set(source.kind, source.id, user.id, level, by=call.user.id, expires_at=None)
    return {}


def _find(call: Call, source: Source) -> Invitation:
    found = call.site.store.invitations.find(source.kind, source.id, call.arguments["email"])
    if found is None:
        raise not_found()
    return found
