"""``nbgrader fetch_feedback``: what came back lands in ``<assignment>/feedback/<timestamp>/<notebook>.html``."""

from __future__ import annotations

from nbgrader.exchange.abc import ExchangeFetchFeedback as ABCExchangeFetchFeedback

from git_exchange.course.own import own_attempts
from git_exchange.course.seats import seat_for
from git_exchange.operations.fetch_feedback import fetch_feedback
from git_exchange.plugin.exchange import Exchange
from git_exchange.settings import Limits


class ExchangeFetchFeedback(Exchange, ABCExchangeFetchFeedback):
    """Fetch the feedback on one's own submissions."""

    deadline = Limits.submit_deadline
    swallowed = True

    def init_src(self) -> None:
        """Check that there is a course."""
        self.check_course()
        self.student_id = self.named_student()

    def init_dest(self) -> None:
        """Find the assignment's feedback folder."""
        self.dest_path = self.assignment_path(self.coursedir.assignment_id) / "feedback"

    def copy_files(self) -> None:
        """Fetch and write; say for which submissions there is nothing yet."""
        course = self.open_course()
        seat = seat_for(course, self.student_id)
        self.log.info("Source: %s", seat.project.web_url)
        self.log.info("Destination: %s", self.dest_path)
        mine = own_attempts(course, seat, self.coursedir.assignment_id or None)
        fetched = fetch_feedback(course, seat, mine, self.dest_path, listener=self.listen)
        for page in fetched.pages:
            self.log.info("Fetched feedback: %s", page)
        for assignment_id, notebook_id, timestamp in fetched.without:
            what = f"{course.course_id}/{assignment_id}/{notebook_id}"
            self.log.warning("Could not find feedback for '%s' submitted at %s", what, timestamp)
        if not mine:
            self.log.warning("You have not submitted %s in %s.", self.coursedir.assignment_id, course.course_id)
