"""Which column of which LMS a TOML file means for an assignment."""

from __future__ import annotations

from git_exchange.errors import ConfigurationError
from git_exchange.files.paths import display
from git_exchange.provisioning.grades import Column
from git_exchange.provisioning.lms.ags import Access, ensure_line_item
from git_exchange.provisioning.lms.canvas_grades import open_assignment
from git_exchange.provisioning.sources.lms_file import LmsFile


def target_of(file: LmsFile, assignment_id: str) -> str:
    """Return what tells this course of this LMS from others. Raise ConfigurationError if it can take no grades."""
    said = file.said
    if file.kind == "moodle":
        raise ConfigurationError(
            "Moodle's web services take grades of Moodle's own activities only.",
            hint='Send them by LTI: register git-exchange as a tool and use a file with kind = "lti".',
        )
    if file.kind == "lti":
        if not said.get("line_items_url"):
            raise ConfigurationError(
                f"{file.path} does not name line_items_url, where the course's columns are listed.",
                hint="It is `lineitems` of the LMS's grade service; in Moodle"
                " https://…/mod/lti/services.php/COURSE/lineitems?type_id=TOOL",
            )
        return said["line_items_url"]
    if assignment_id not in file.columns:
        raise ConfigurationError(
            f"{file.path} does not say which assignment in Canvas {display(assignment_id)} is.",
            hint=f'Make one there and write its number under [columns]:  "{display(assignment_id)}" = "1234"',
        )
    return f"{said['url'].rstrip('/')}/courses/{said['course']}/assignments/{file.columns[assignment_id]}"


def open_column(file: LmsFile, assignment_id: str, label: str, maximum: float) -> Column:
    """Return the assignment's column; by LTI it is made if there is none. Raise LmsError, ConfigurationError."""
    said = file.said
    if file.kind == "lti":
        url = said["line_items_url"]
        return ensure_line_item(Access(file.platform_key(), file.session(url)), url, assignment_id, label, maximum)
    return open_assignment(
        said["url"], said["course"], file.columns[assignment_id], file.token(), file.session(said["url"])
    )
