"""What an LTI role is to us. Pure; the order of the rules is from the platforms' behaviour.

Sources: 1EdTech LTI Core 1.3, A.2.2 (context roles) and A.2.3 (sub-roles); Canvas' and Moodle's own tables.
"""

from __future__ import annotations

from collections.abc import Iterable

CONTEXT = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
SUB_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership/"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
ASSISTANT = "TeachingAssistant"


def is_test_user(roles: Iterable[str]) -> bool:
    """Return whether this is the LMS's own pretended student (Canvas' "student view"), who gets no seat."""
    return TEST_USER in set(roles)


def course_role(roles: Iterable[str]) -> str | None:
    """Return "student", "grader" or "instructor"; None for roles that give no access (observer, designer, ...).

    All roles are looked at, the first rule that fits counts: a teaching assistant is also called an instructor by
    Canvas and a learner by Open edX. Short names without a URI are legal, and Moodle sends them; roles in the
    institution or the system say nothing about the course.
    """
    core: set[str] = set()
    sub: set[str] = set()
    for role in roles:
        if role.startswith(SUB_ROLE):
            sub.add(role.rpartition("#")[2])
        elif role.startswith(CONTEXT):
            core.add(role.removeprefix(CONTEXT))
        elif "/" not in role and ":" not in role:
            core.add(role)
    if ASSISTANT in sub | core:
        return "grader"
    if core & {"Instructor", "Administrator"}:
        return "instructor"
    if "Learner" in core:
        return "student"
    return None
