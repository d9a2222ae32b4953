"""A connection that may change the forge, with the token of whoever runs the command."""

from __future__ import annotations

from git_exchange.course.credentials import first_accepted
from git_exchange.forge.connect import connect_admin
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.secret import Token
from git_exchange.settings import Settings


def connected_admin(settings: Settings) -> tuple[ForgeAdmin, Token]:
    """Return the forge with the first token that it accepts. Raise NoToken, TokenRefused, ForgeUnreachable."""

    def accepted(token: Token) -> ForgeAdmin:
        forge = connect_admin(settings, token)
        forge.account()
        return forge

    return first_accepted(settings, accepted)
