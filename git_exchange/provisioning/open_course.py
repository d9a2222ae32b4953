"""Open a course on the forge: its group, ``assignments`` and ``staff``, protected before anybody else gets in."""

from __future__ import annotations

import re

from git_exchange.course.protection import STAFF_RULES
from git_exchange.errors import Forbidden, ForgeError, NotFound
from git_exchange.events import Event, Listener, ignore
from git_exchange.forge.ports import ForgeAdmin, Group, Visibility
from git_exchange.rules import layout
from git_exchange.settings import Settings

RELEASES = {"signed-in": Visibility.SIGNED_IN, "members": Visibility.PRIVATE}


def open_course(
    settings: Settings,
    forge: ForgeAdmin,
    course_id: str,
    *,
    title: str = "",
    releases: str = "signed-in",
    listener: Listener = ignore,
) -> Group:
    """Return the course's group, made or completed. Safe to run again after any failure.

    ``releases`` says who can read released assignments: "signed-in" everybody who is signed in to the forge, "members"
    only the course's people (who can then see each other on the forge). Raise Forbidden if the token may not
    create groups.
    """
    visibility = RELEASES[releases]
    _ensure_namespace(settings, forge, visibility, listener)
    try:
        group = forge.ensure_group(
            settings.namespace,
            layout.course_slug(course_id),
            name=_display_name(title or course_id, layout.course_slug(course_id)),
            description=layout.describe_course(course_id, title),
            visibility=visibility,
        )
    except Forbidden as error:
        raise Forbidden(
            f"{forge.account().username} may not create groups in {settings.namespace!r}.",
            hint="Use the token of an Owner of that group (on GitLab: role Owner, scope api).",
        ) from error
    listener(Event(f"Group {group.full_path}"))
    for name, description, seen_by in (
        (layout.ASSIGNMENTS, "Released assignments of the course, one branch each.", visibility),
        (layout.STAFF, "Records of the course's staff: receipts, extensions, seats.", Visibility.PRIVATE),
    ):
        project = forge.ensure_project(group, name, description=description, visibility=seen_by, issues=False)
        forge.ensure_rules(project.id, STAFF_RULES)
        listener(Event(f"Project {group.full_path}/{name}, protected"))
    return group


def _ensure_namespace(settings: Settings, forge: ForgeAdmin, visibility: Visibility, listener: Listener) -> None:
    parent = ""
    for part in settings.namespace.split("/"):
        path = f"{parent}/{part}".strip("/")
        try:
            forge.find_group(path)
        except NotFound:
            try:
                forge.ensure_group(
                    parent, part, name=part, description="Courses of the git-exchange.", visibility=visibility
                )
            except ForgeError as error:
                raise Forbidden(
                    f"The group {path!r} does not exist for {forge.account().username} and could not be created:"
                    f" {error.message}",
                    hint="Create it on the forge, make this account its Owner, and run this again.",
                ) from error
            listener(Event(f"Group {path} (the namespace)"))
        parent = path


def _display_name(title: str, slug: str) -> str:
    """Return the title if GitLab takes it as a name (letters, digits, emoji, ``_.+()-`` and space), else the slug."""
    return title if re.fullmatch(r"\w[\w .+()\-]{0,200}", title) else slug
