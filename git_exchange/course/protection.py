"""Who may push what in a course's projects: the rules that opening, applying a roster and purging set."""

from __future__ import annotations

from git_exchange.forge.ports import BranchRule, Role

STAFF_RULES = (BranchRule("*", Role.INSTRUCTOR),)
SEAT_RULES = (*STAFF_RULES, BranchRule("submit/*", Role.STUDENT))
