"""``nbgrader submit``: the student's folder becomes the next commit on ``submit/<assignment>``."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from nbgrader.exchange.abc import ExchangeSubmit as ABCExchangeSubmit
from traitlets import Bool

from git_exchange.course.seats import seat_for
from git_exchange.errors import FilesError, GitExchangeError
from git_exchange.operations.sidecar import Sidecar
from git_exchange.operations.submit import Notebooks, Prepared, Submitted, prepare, submit
from git_exchange.plugin import pages, submission_cache
from git_exchange.plugin.exchange import Exchange
from git_exchange.plugin.listings import forget_listings
from git_exchange.rules import times
from git_exchange.rules.layout import submit_ref
from git_exchange.settings import Limits


class ExchangeSubmit(Exchange, ABCExchangeSubmit):
    """Submit an assignment."""

    deadline = Limits.submit_deadline

    add_random_string = Bool(
        True,
        help=dedent(
            """
            Has no effect: nbgrader's own exchange hides submissions behind a random name, here only the student and
            the staff can read the project. The option exists so that configurations written for it stay valid.
            """
        ),
    ).tag(config=True)

    leave_out_notebooks = Bool(
        False,
        help=dedent(
            """
            Whether to submit without a released notebook that is larger than max_file_size or a link, with a warning,
            as nbgrader's own exchange does. By default such a submission is refused: the work in it would be lost.
            """
        ),
    ).tag(config=True)

    def init_src(self) -> None:
        """Find the folder; like nbgrader, accept a path in place of the assignment's name."""
        self.src_path = self.assignment_path(self.coursedir.assignment_id)
        self.coursedir.assignment_id = self.src_path.name
        if not self.src_path.is_dir():
            self.assignment_not_found(self.src_path, str(self.src_path.parent / "*"))

    def init_dest(self) -> None:
        """Check course and access."""
        self.check_course()
        self.check_access()
        self.student_id = self.named_student()

    def copy_files(self) -> None:
        """Compare with the release, push, and print the receipt."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        course = self.open_course()
        seat = seat_for(course, self.student_id)
        prepared = prepare(
            course,
            seat,
            assignment_id,
            Path(self.src_path),
            self.selection_rules(),
            leave_out_notebooks=self.leave_out_notebooks,
            on_behalf=self.student_id is not None and course.is_staff(),
            listener=self.listen,
        )
        self.log.info("Source: %s", self.src_path)
        self.log.info("Destination: %s", seat.project.web_url)
        self._compare(prepared.notebooks)
        receipt = submit(course, prepared, listener=self.listen)
        forget_listings()
        self._keep(prepared, receipt)
        self.log.info("Submitted as: %s %s %s", course_id, assignment_id, times.timestamp(receipt.at))
        if receipt.warning:
            # The assignment list shows nothing of a submission that arrived but the list that follows.
            pages.keep_swallowed(self, GitExchangeError(f"Attempt {receipt.number} was submitted. {receipt.warning}"))
        by = f", submitted by {receipt.submitted_by}" if receipt.submitted_by else ""
        self.log.info("Receipt: attempt %d of %s%s, commit %s", receipt.number, receipt.student_id, by, receipt.url)

    def _keep(self, prepared: Prepared, receipt: Submitted) -> None:
        """Leave a copy where nbgrader's users and tools look for it. The submission is safe without it."""
        attempt = Sidecar(prepared.seat.project.id, submit_ref(self.coursedir.assignment_id), receipt.commit)
        try:
            kept = submission_cache.keep(
                Path(self.cache),
                self.coursedir.course_id,
                receipt.student_id,
                self.coursedir.assignment_id,
                times.timestamp(receipt.at),
                prepared.folder,
                prepared.selection,
                attempt,
            )
        except (FilesError, OSError) as error:
            self.log.warning("Submitted, but no copy was kept in %s: %s", self.cache, error)
        else:
            self.log.debug("A copy was %s in %s", "kept" if kept else "not kept", self.cache)

    def _compare(self, notebooks: Notebooks) -> None:
        if not notebooks.missing and not notebooks.extra:
            return
        expected = [f"{path}: {'MISSING' if path in notebooks.missing else 'FOUND'}" for path in notebooks.expected]
        submitted = [f"{path}: {'EXTRA' if path in notebooks.extra else 'OK'}" for path in notebooks.submitted]
        difference = "Expected:\n\t{}\nSubmitted:\n\t{}".format("\n\t".join(expected), "\n\t".join(submitted))
        assignment_id = self.coursedir.assignment_id
        if notebooks.missing and self.strict:
            self.fail(
                f"Assignment {assignment_id} not submitted. There are missing notebooks for the submission:\n"
                f"{difference}"
            )
        self.log.warning(
            "Possible missing notebooks and/or extra notebooks submitted for assignment %s:\n%s",
            assignment_id,
            difference,
        )
