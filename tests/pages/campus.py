"""People with live Jupyter servers, whose line to the forge the test holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from git_exchange.demo.people import Someone
from tests.exchange.classroom import write_notebook
from tests.pages.line import Line
from tests.pages.live import LiveServer
from tests.unit.school import COURSE, School

CONFIGURATION = """\
from git_exchange.plugin import configure

c = get_config()
configure(c, {url!r}, namespace={namespace!r}, kind={kind!r})
c.GitExchange.list_seconds = {seconds!r}
"""


@dataclass
class Campus:
    """A course that is prepared directly (``school``) and seen through ``line``."""

    school: School
    line: Line

    def instructor(self, *assignments: str, seconds: float = 600.0) -> LiveServer:
        """Return a server on a course directory with these assignments, generated and not released."""
        someone = self._person("teacher")
        for name in assignments:
            for step in ("source", "release"):
                folder = someone.work / step / name
                folder.mkdir(parents=True, exist_ok=True)
                write_notebook(folder / "p1.ipynb", "x = 1")
        more = f"c.CourseDirectory.course_id = {COURSE!r}\nc.CourseDirectory.root = {str(someone.work)!r}\n"
        return self._server(someone, seconds, more)

    def student(self, name: str, *, seconds: float = 600.0) -> LiveServer:
        """Return a server in the student's work folder, with no course in its configuration."""
        return self._server(self._person(name), seconds)

    def work(self, name: str) -> Path:
        return self._person(name).work

    def _person(self, name: str) -> Someone:
        settings = self.school.settings(name)
        place = self.school.place / "people" / name
        someone = Someone(name, self.school.username(name), place, self.line.url, settings.namespace, settings.kind)
        someone.settle_in(self.school.token(name))
        return someone

    def _server(self, someone: Someone, seconds: float, more: str = "") -> LiveServer:
        written = CONFIGURATION.format(url=someone.url, namespace=someone.namespace, kind=someone.kind, seconds=seconds)
        (someone.work / "nbgrader_config.py").write_text(written + more)
        return LiveServer(someone, someone.work)
