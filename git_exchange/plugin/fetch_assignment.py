"""``nbgrader fetch_assignment``: a released assignment becomes a folder of the student's."""

from __future__ import annotations

import os
from typing import Any

from nbgrader.exchange.abc import ExchangeFetchAssignment as ABCExchangeFetchAssignment

from git_exchange.course.releases import find_release
from git_exchange.operations.fetch import fetch
from git_exchange.plugin.exchange import Exchange
from git_exchange.plugin.newer import newer_version
from git_exchange.settings import Limits


class ExchangeFetchAssignment(Exchange, ABCExchangeFetchAssignment):
    """Fetch a released assignment."""

    deadline = Limits.submit_deadline
    swallowed = True

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        if "ExchangeFetch" in cfg:
            self.log.warning(
                "Use ExchangeFetchAssignment in config, not ExchangeFetch. Outdated config:\n%s",
                "\n".join(f"ExchangeFetch.{key} = {value!r}" for key, value in cfg.ExchangeFetch.items()),
            )
            cfg.ExchangeFetchAssignment.merge(cfg.ExchangeFetch)
            del cfg.ExchangeFetch
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        """Check course and access, and find the release."""
        self.check_course()
        self.check_access()
        self.course = self.open_course()
        if self.asks_forge():
            self.course.check_member()
        self.release = find_release(self.course, self.coursedir.assignment_id)

        if self.course.assignments().archived:
            self.log.warning("The course %s is archived: nothing can be handed in any more.", self.course.course_id)

    def init_dest(self) -> None:
        """Find where the folder goes; an existing one is touched only with ``replace_missing_files``."""
        self.dest_path = self.assignment_path(self.coursedir.assignment_id)
        if self.dest_path.is_dir() and not self.replace_missing_files:
            shown = os.path.relpath(self.dest_path, os.path.abspath(self.assignment_dir))  # noqa: PTH100
            newer = newer_version(self, self.course, self.release)
            self.fail(
                f"You already have a copy of the assignment in this directory: {shown}"
                + (f". {newer}" if newer else "")
            )

    def copy_files(self) -> None:
        """Fetch the release and write it."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        self.log.info("Source: %s", self.course.assignments().web_url)
        self.log.info("Destination: %s", self.dest_path)
        fetch(
            self.course,
            self.release,
            self.dest_path,
            ignore_patterns=tuple(self.coursedir.ignore),
            missing_only=self.replace_missing_files,
            listener=self.listen,
        )
        self.log.info("Fetched as: %s %s", course_id, assignment_id)
