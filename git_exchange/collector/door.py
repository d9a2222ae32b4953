"""What the receiver answers to a hook, without the network around it: verify, keep in the inbox, say so.

The answer does not wait for anything else; what may come later is ``afterwards``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from git_exchange.collector import events
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.values import Arrival
from git_exchange.course.hook_keys import HookKeys, read_hook_keys
from git_exchange.errors import ConfigurationError, GitExchangeError, InboxUnavailable
from git_exchange.files.paths import display
from git_exchange.rules import hook_secrets, layout

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What the forge is told. ``outcome`` is one word for logs and counts; ``arrival`` what is new in the inbox.

    ``signed`` is None for a request that was refused.
    """

    status: int
    outcome: str
    text: str
    arrival: Arrival | None = None
    signed: bool | None = None


class Keys:
    """The keys of the hooks' secrets, read again when their file changes; constructing reads them a first time.

    While the file cannot be read, as in the middle of a change by hand, the last good keys go on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = self._look()
        self._keys = read_hook_keys(path)

    def current(self) -> HookKeys:
        """Return the keys that are valid now."""
        state = self._look()
        if state != self._state:
            self._state = state
            try:
                self._keys = read_hook_keys(self._path)
                log.info("Hook keys read again: %s", ", ".join(self._keys.fingerprints))
            except ConfigurationError as error:
                log.error("%s The keys that were read before stay valid.", error)
        return self._keys

    def _look(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


class Door:
    """Takes hooks' requests for some courses. Methods may be called from several threads at once."""

    def __init__(
        self,
        courses: Iterable[str],
        keys: Keys,
        inbox: Inbox,
        wake: Callable[[Arrival], None],
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._courses = {layout.course_slug(course): course for course in courses}
        self._keys = keys
        self._inbox = inbox
        self._wake = wake
        self._clock = clock

    def knows(self, course: str) -> bool:
        """Return whether there is a course of this slug."""
        return course in self._courses

    def take(self, course: str, project_id: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """Return the answer to a request to ``/hooks/<course>/<project id>``. What is answered with 202 is kept."""
        if not self.knows(course):
            return self._said(course, project_id, Answer(404, "unknown-course", "This collector has no such course."))
        try:
            answer = self._verified(self._courses[course], project_id, headers, body)
        except events.Refused as refusal:
            answer = Answer(refusal.status, refusal.reason, str(refusal))
        except InboxUnavailable as error:
            log.error("%s", error)
            answer = Answer(503, "inbox", "The inbox cannot be reached. The sweep will find what was pushed.")
        return self._said(course, project_id, answer)

    def afterwards(self, course: str, project_id: int, answer: Answer) -> None:
        """Do what the forge does not wait for: note that the hook works, and wake a worker."""
        if answer.signed is None:
            return
        try:
            if answer.arrival is not None:
                self._wake(answer.arrival)
            self._inbox.note_hook(self._courses[course], project_id, self._clock(), answer.signed)
        except GitExchangeError as error:
            log.warning("%s", error)

    def check(self) -> None:
        """Raise InboxUnavailable if nothing could be read from the inbox."""
        self._inbox.marks("hook")

    def _verified(self, course_id: str, project_id: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        now = self._clock()
        secrets = [hook_secrets.derive(key, project_id) for key in self._keys.current().keys]
        verified = events.verify(headers, body, secrets, now)
        hook_signs = not verified.signed and self._inbox.hook_signs(project_id)
        event = events.read(verified, hook_signs=hook_signs, course_id=course_id, project_id=project_id, now=now)
        if isinstance(event, events.NotOurs):
            return Answer(200, "not-ours", f"Nothing to do: this is {event.what}.", signed=verified.signed)
        if self._inbox.receive(event):
            return Answer(202, "accepted", "Received.", event, verified.signed)
        return Answer(200, "duplicate", "Received before.", signed=verified.signed)

    def _said(self, course: str, project_id: int, answer: Answer) -> Answer:
        level = logging.INFO if answer.status < 400 else logging.WARNING
        delivery = f" {answer.arrival.delivery}" if answer.arrival is not None else ""
        log.log(
            level,
            "hook of project %d in %s: %d %s%s",
            project_id,
            display(course),
            answer.status,
            answer.outcome,
            delivery,
        )
        return answer
