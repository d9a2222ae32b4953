"""What tests may ask of the server itself, below ``/-/devserver/`` and only with an administrator's token.

=====================================  =================================================================================
``POST /-/devserver/faults``           answer the next requests otherwise: ``path`` (regular expression searched in the
                                       request's path), ``status`` (429), ``times`` (1), ``method``, ``retry_after``
                                       (seconds), ``message``, ``plain`` (text "Retry later" as GitLab's front throttle
                                       answers; else JSON as its own limits do)
``DELETE /-/devserver/faults``         forget all faults that have not been used up
``POST /-/devserver/events``           ``lag`` (seconds by which event rows come late), ``hold`` true (rows wait),
                                       ``release`` true (all that wait appear now, and no more are held)
``DELETE /-/devserver/events/:id``     remove an event as if it had never been written
``POST /-/devserver/clock``            ``offset`` (seconds) added to the real time for everything, the Date header too
``POST /-/devserver/bans``             ``on`` true or false (the default): ban addresses with many failed git sign-ins;
                                       the answer has ``failed``: how many count at this moment
``POST /-/devserver/hooks``            ``auto_disable`` true or false (the default): let webhooks rest that failed four
                                       times in a row; ``signing_tokens`` true (the default) or false: know of them
``POST /-/devserver/invitations``      accept all that were sent to ``email`` as the account ``username``, whatever
                                       its address is: whoever has the link in the mail can do that
=====================================  =================================================================================

Faults, bans, what webhooks can, lag and clock are forgotten when the server ends; events that wait are not.
"""

from __future__ import annotations

import re

from git_exchange.devserver.api.answers import Answer, Call, invalid, not_found
from git_exchange.devserver.api.invitations import accept
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.faults import Fault

routes = Routes()


@routes.add("POST", "/faults")
def add_fault(call: Call) -> Answer:
    """Answer requests to come otherwise."""
    call.require_admin()
    given = call.parameters
    try:
        pattern = re.compile(given.required("path"))
    except re.error:
        raise invalid("path is not a regular expression") from None
    status, times = given.integer("status"), given.integer("times")
    call.site.faults.waiting.append(
        Fault(
            pattern,
            429 if status is None else status,
            1 if times is None else times,
            given.text("method"),
            given.boolean("plain"),
            given.integer("retry_after"),
            given.text("message"),
        )
    )
    return Answer({"waiting": len(call.site.faults.waiting)}, 201)


@routes.add("DELETE", "/faults")
def forget_faults(call: Call) -> Answer:
    """Answer everything as it should be again."""
    call.require_admin()
    call.site.faults.waiting.clear()
    return Answer(None, 204)


@routes.add("POST", "/events")
def set_events(call: Call) -> Answer:
    """Let event rows come late, wait, or through."""
    call.require_admin()
    given, events = call.parameters, call.site.store.events
    if given.has("lag"):
        events.lag = _seconds(call, "lag")
    if given.has("hold"):
        events.held = given.boolean("hold")
    if given.boolean("release"):
        events.release()
    return Answer({"lag": events.lag, "held": events.held}, 201)


@routes.add("DELETE", "/events/:event_id")
def delete_event(call: Call) -> Answer:
    """Remove an event."""
    call.require_admin()
    number = call.arguments["event_id"]
    if not number.isdecimal() or not call.site.store.events.delete(int(number)):
        raise not_found("Event")
    return Answer(None, 204)


@routes.add("POST", "/clock")
def set_clock(call: Call) -> Answer:
    """Shift the server's clock against real time."""
    call.require_admin()
    call.site.clock.offset = _seconds(call, "offset")
    return Answer({"offset": call.site.clock.offset}, 201)


@routes.add("POST", "/bans")
def set_bans(call: Call) -> Answer:
    """Begin or end to ban, and tell what is counted."""
    call.require_admin()
    bans = call.site.bans
    if call.parameters.has("on"):
        bans.switch(on=call.parameters.boolean("on"))
    return Answer({"on": bans.on, "failed": bans.counted()}, 201)


@routes.add("POST", "/hooks")
def set_hooks(call: Call) -> Answer:
    """Switch what webhooks can."""
    call.require_admin()
    webhooks, given = call.site.webhooks, call.parameters
    if given.has("auto_disable"):
        webhooks.auto_disable = given.boolean("auto_disable")
    if given.has("signing_tokens"):
        webhooks.signing_tokens = given.boolean("signing_tokens")
    return Answer({"auto_disable": webhooks.auto_disable, "signing_tokens": webhooks.signing_tokens}, 201)


@routes.add("POST", "/invitations")
def accept_invitations(call: Call) -> Answer:
    """Follow the link in the mails to an address, signed in as some account."""
    call.require_admin()
    user = call.site.store.accounts.find_by_username(call.parameters.required("username"))
    if user is None:
        raise not_found("User")
    found = call.site.store.invitations.to(call.parameters.required("email"))
    for invitation in found:
        accept(call, invitation, user)
    return Answer({"accepted": len(found)}, 201)


def _seconds(call: Call, name: str) -> float:
    try:
        return float(call.parameters.required(name))
    except ValueError:
        raise invalid(f"{name} is invalid") from None
