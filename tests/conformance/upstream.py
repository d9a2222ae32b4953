"""nbgrader's tests of its exchange and its API: which run by configuration alone, by the mirror, or not at all.

Everything stands here by name, so that a test that nbgrader gains is noticed.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from types import ModuleType

from nbgrader.tests.apps import (
    test_api,
    test_nbgrader_collect,
    test_nbgrader_fetch_assignment,
    test_nbgrader_fetchfeedback,
    test_nbgrader_list,
    test_nbgrader_releaseassignment,
    test_nbgrader_releasefeedback,
    test_nbgrader_submit,
)

MODES = "checks the Unix mode bits of nbgrader's exchange directory, and there is none"
COLLECTED = (
    "checks the mode bits of nbgrader's inbound directory, and that everybody may write to what was collected (777);"
    " that a group can use it is tested in tests/exchange/test_groupshared.py"
)
WINDOWS = "runs on Windows only"


@dataclass(frozen=True)
class Suite:
    """The tests of one module: ``configuration`` alone is enough, ``mirror`` look into the exchange directory."""

    module: ModuleType
    configuration: str
    mirror: str = ""

    @property
    def mirrored(self) -> frozenset[str]:
        return frozenset(f"test_{name}" for name in self.mirror.split())

    @property
    def run(self) -> frozenset[str]:
        return self.mirrored | {f"test_{name}" for name in self.configuration.split()}

    def shipped(self) -> Iterator[str]:
        """Yield the tests that the installed nbgrader has in this module, parametrised ones as pytest names them."""
        for _, case in inspect.getmembers(self.module, inspect.isclass):
            if case.__module__ == self.module.__name__ and case.__name__.startswith("Test"):
                for name, test in inspect.getmembers(case, inspect.isfunction):
                    if name.startswith("test_"):
                        yield from _with_parameters(name, test)


def _with_parameters(name: str, test: object) -> Iterator[str]:
    values = [mark.args[1] for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    for chosen in product(*values):
        yield f"{name}[{'-'.join(str(value) for value in chosen)}]" if chosen else name


SUITES = {
    "release_assignment": Suite(
        test_nbgrader_releaseassignment,
        "help no_course_id",
        "release release_deprecated force_release force_release_f release_with_assignment_flag no_exchange"
        " exchange_bad_perms permissions[False]",
    ),
    "fetch_assignment": Suite(
        test_nbgrader_fetch_assignment,
        "help no_course_id fetch deprecated fetch_with_assignment_flag fetch_multiple_courses"
        " fetch_multiple_assignments",
    ),
    "submit": Suite(
        test_nbgrader_submit,
        "help no_course_id submit_extra submit_extra_strict submit_missing submit_missing_strict"
        " submit_assignment_flag submit_with_student_id submit_max_dir_size",
        "submit submit_readonly submit_multiple_courses submit_exclude submit_include submit_max_file_size",
    ),
    "collect": Suite(
        test_nbgrader_collect,
        "help no_course_id collect collect_assignment_flag collect_subdirectories owner_check"
        " collect_before_due_date[yes] collect_before_due_date[no] collect_before_due_date[nofirst]",
    ),
    "list": Suite(
        test_nbgrader_list,
        "help list_released list_fetched list_remove_outbound list_cached list_remove_cached list_cached_and_inbound",
        "list_inbound list_inbound_no_random_string list_remove_inbound list_without_random_string"
        " list_feedback_inbound list_feedback_cached",
    ),
    "release_feedback": Suite(
        test_nbgrader_releasefeedback,
        "help second_argument no_argument",
        "single_file single_student student_id_exclude",
    ),
    "fetch_feedback": Suite(test_nbgrader_fetchfeedback, "help single_file"),
    "api": Suite(
        test_api,
        "get_source_assignments get_released_assignments get_submitted_students get_submitted_timestamp"
        " get_autograded_students get_autograded_students_no_timestamps get_assignment get_assignment_custom_timezone"
        " get_assignments get_notebooks get_submission get_submission_no_timestamp get_submissions"
        " filter_existing_notebooks filter_existing_notebooks_strict get_notebook_submission_indices"
        " get_notebook_submissions get_student get_students get_student_submissions get_student_notebook_submissions"
        " deprecation generate_assignment collect autograde generate_feedback fetch_feedback",
        "release_deprecated release_and_unrelease release_feedback",
    ),
}

NOT_RUN = {
    ("release_assignment", "test_permissions[True]"): MODES,
    ("collect", "test_permissions[False]"): COLLECTED,
    ("collect", "test_permissions[True]"): COLLECTED,
    ("release_feedback", "test_permissions[False]"): MODES,
    ("release_feedback", "test_permissions[True]"): MODES,
    ("api", "test_get_released_assignments_windows"): WINDOWS,
}

# What releases of nbgrader that we support do not have yet.
NEWER = {("api", "test_get_assignment_custom_timezone")}

# Students that tests name, besides the user who runs them.
OTHER_STUDENTS = {
    ("submit", "test_submit_with_student_id"): ("foobar_student",),
    ("collect", "test_owner_check"): ("foobar_student",),
    ("release_feedback", "test_single_file"): ("foo",),
    ("release_feedback", "test_single_student"): ("foo", "bar"),
    ("release_feedback", "test_student_id_exclude"): ("foo", "bar"),
    ("api", "test_release_feedback"): ("foo",),
    ("api", "test_fetch_feedback"): ("foo",),
}

# Courses that tests name, besides abc101.
OTHER_COURSES = {
    ("fetch_assignment", "test_fetch_multiple_courses"): ("abc102",),
    ("submit", "test_submit_multiple_courses"): ("abc102",),
    ("list", "test_list_released"): ("xyz200",),
}
