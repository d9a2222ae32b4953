"""``nbgrader release_feedback``: generated pages go to each student's ``feedback/<assignment>``."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from nbgrader.exchange.abc import ExchangeReleaseFeedback as ABCExchangeReleaseFeedback
from traitlets import Bool

from git_exchange import gradebook
from git_exchange.errors import Incomplete
from git_exchange.files.paths import display
from git_exchange.operations.release_feedback import Marked, release_feedback
from git_exchange.plugin.exchange import Exchange
from git_exchange.plugin.listings import forget_listings


class ExchangeReleaseFeedback(Exchange, ABCExchangeReleaseFeedback):
    """Release generated feedback."""

    force = Bool(False, help="Replace feedback that another member of the staff released for the same submission.").tag(
        config=True
    )

    def init_src(self) -> None:
        """Find the pages of feedback."""
        self.marked = self._marked()

    def init_dest(self) -> None:
        """Check that there is a course."""
        self.check_course()

    def copy_files(self) -> None:
        """Push each student's feedback, and fail at the end if some could not be."""
        if not self.marked:
            self.log.warning("No feedback found to release for '%s'", self.coursedir.assignment_id)
            return
        report = release_feedback(
            self.open_course(),
            self.coursedir.assignment_id,
            self.marked,
            force=self.force,
            deadline=self.bulk_until(),
            listener=self.listen,
        )
        forget_listings()
        self.log.info("Release feedback: %s", report.summary())
        waiting = report.counts.get("waiting", 0)
        if report.failed or waiting:
            names = ", ".join(outcome.subject for outcome in report.failed[:10])
            raise Incomplete(
                f"Release feedback: {report.summary()}." + (f" Failed: {names}." if names else ""),
                hint="Release it again: it goes on with the rest." if waiting else "The lines above say why.",
            )

    def _marked(self) -> list[Marked]:
        """Return the students' folders as nbgrader's own exchange finds them: by its path pattern.

        nbgrader copies the other files of a submission along, so that a page of the student's own may lie among the
        feedback. Only pages of the assignment's notebooks are feedback, where the gradebook knows these, and no link
        is: the notebooks' own code, which autograding runs, could make one to a file of the instructor's.
        """
        known = gradebook.find_assignment(self.coursedir.db_url, self.coursedir.course_id, self.coursedir.assignment_id)
        notebooks = known.notebooks if known is not None else frozenset()
        student_id = self.coursedir.student_id or "*"
        assignment_id = self.coursedir.assignment_id
        excluded = set(filter(None, (self.coursedir.student_id_exclude or "").split(",")))
        # The student's id is a pattern, the assignment's never: "Why?" is a name.
        exactly = glob.escape(assignment_id)
        pattern = self.coursedir.format_path(self.coursedir.feedback_directory, student_id, exactly)
        expression = re.escape("/").join(
            [
                self.coursedir.format_path(
                    self.coursedir.feedback_directory, "(?P<student_id>[^/]*)", re.escape(assignment_id), escape=True
                ),
                r"(?P<notebook_id>[^/]*)\.html",
            ]
        )
        pages: dict[tuple[str, Path], list[Path]] = {}
        for name in sorted(glob.glob(str(Path(pattern) / "*.html"))):
            matched = re.fullmatch(expression, name)
            if matched is None:
                self.log.error("Could not match '%s' with regexp '%s'", name, expression)
                continue
            if matched["student_id"] in excluded:
                self.log.debug("Skipping student '%s'", matched["student_id"])
                continue
            if Path(name).is_symlink() or (notebooks and matched["notebook_id"] not in notebooks):
                self.log.warning(
                    "Not released to '%s': %s is not the feedback on a notebook of the assignment",
                    matched["student_id"],
                    display(os.fsencode(Path(name).name)),
                )
                continue
            pages.setdefault((matched["student_id"], Path(name).parent), []).append(Path(name))
        return [Marked(student, folder, tuple(found)) for (student, folder), found in pages.items()]
