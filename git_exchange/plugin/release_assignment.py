"""``nbgrader release_assignment``: the generated folder becomes the head of ``release/<assignment>``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeReleaseAssignment as ABCExchangeReleaseAssignment

from git_exchange import gradebook
from git_exchange.operations.release import find_released, release
from git_exchange.plugin.exchange import Exchange
from git_exchange.plugin.listings import forget_listings
from git_exchange.settings import Limits


class ExchangeReleaseAssignment(Exchange, ABCExchangeReleaseAssignment):
    """Release an assignment to the students of the course."""

    deadline = Limits.submit_deadline

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        if "ExchangeRelease" in cfg:
            self.log.warning(
                "Use ExchangeReleaseAssignment in config, not ExchangeRelease. Outdated config:\n%s",
                "\n".join(f"ExchangeRelease.{key} = {value!r}" for key, value in cfg.ExchangeRelease.items()),
            )
            cfg.ExchangeReleaseAssignment.merge(cfg.ExchangeRelease)
            del cfg.ExchangeRelease
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        """Find the generated folder, with nbgrader's words where it is missing."""
        assignment_id = self.coursedir.assignment_id
        self.src_path = self.coursedir.format_path(self.coursedir.release_directory, ".", assignment_id)
        if Path(self.src_path).is_dir():
            return
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment_id)
        if Path(source).is_dir():
            self.fail(
                f"Assignment found in '{source}' but not '{self.src_path}', run `nbgrader generate_assignment` first."
            )
        others = self.coursedir.format_path(self.coursedir.release_directory, ".", "*")
        self.assignment_not_found(Path(self.src_path), others)

    def init_dest(self) -> None:
        """Check that there is a course."""
        self.check_course()

    def copy_files(self) -> None:
        """Push the release and confirm it."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        course = self.open_course()
        if self.force and find_released(course, assignment_id) is not None:
            self.log.info("Overwriting files: %s %s", course_id, assignment_id)
        self.log.info("Source: %s", self.src_path)
        self.log.info("Destination: %s", course.assignments().web_url)
        release(
            course,
            assignment_id,
            Path(self.src_path),
            self.selection_rules(),
            due=self.due(),
            force=self.force,
            listener=self.listen,
        )
        forget_listings()
        self.log.info("Released as: %s %s", course_id, assignment_id)

    def due(self) -> datetime | None:
        """Return the due date in the gradebook, None if there is none."""
        known = gradebook.find_assignment(self.coursedir.db_url, self.coursedir.course_id, self.coursedir.assignment_id)
        return known.due if known is not None else None
