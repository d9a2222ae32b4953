"""The people of the demo: each with a home, configuration, token and folder, as on machines of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from git_exchange.errors import GitExchangeError
from git_exchange.secret import Token

COMMAND_SECONDS = 300.0

CONFIGURATION = """\
from git_exchange.plugin import configure

c = get_config()
c.CourseDirectory.course_id = {course_id!r}
configure(c, {url!r}, namespace={namespace!r}, kind={kind!r})
"""


class DemoFailed(GitExchangeError):
    """A step of the demo did not do what it should; the command's output is in the message."""


@dataclass(frozen=True)
class Someone:
    """One person: ``place`` holds the home, the token file and ``work``, where commands run.

    ``name`` is nbgrader's student id, ``username`` the account on the forge.
    """

    name: str
    username: str
    place: Path
    url: str
    namespace: str
    kind: str

    @property
    def work(self) -> Path:
        """The folder in which this person works."""
        return self.place / "work"

    @property
    def token_file(self) -> Path:
        """The file that holds this person's token, mode 0600."""
        return self.place / "token"

    def settle_in(self, token: Token) -> None:
        """Make the folders and the token file."""
        for folder in (self.work, self.place / "home"):
            folder.mkdir(parents=True, exist_ok=True)
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(token.value + "\n", encoding="utf-8")

    def configure(self, folder: Path, course_id: str) -> None:
        """Append the lines that make nbgrader use the forge to the ``nbgrader_config.py`` in ``folder``."""
        text = CONFIGURATION.format(course_id=course_id, url=self.url, namespace=self.namespace, kind=self.kind)
        with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as file:
            file.write(text)

    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing of the real user shows."""
        home = self.place / "home"
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT") if name in os.environ}
        return kept | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(home),
            "USER": self.name,
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_DATA_HOME": str(home / ".local" / "share"),
            "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
            "JUPYTER_DATA_DIR": str(home / ".local" / "share" / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(home / ".local" / "share" / "jupyter" / "runtime"),
            "IPYTHONDIR": str(home / ".ipython"),
            "GIT_EXCHANGE_TOKEN_FILE": str(self.token_file),
            "GIT_EXCHANGE_URL": self.url,
            "GIT_EXCHANGE_NAMESPACE": self.namespace,
            "GIT_EXCHANGE_KIND": self.kind,
        }

    def run(self, command: Sequence[str], folder: Path | None = None) -> str:
        """Run ``nbgrader ...`` or ``git-exchange ...`` as this person and return what it printed. Raise DemoFailed."""
        module = {"nbgrader": "nbgrader", "git-exchange": "git_exchange.cli.main"}[command[0]]
        done = subprocess.run(
            [sys.executable, "-m", module, *command[1:]],
            cwd=folder or self.work,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            raise DemoFailed(
                f"{self.name}: `{' '.join(command)}` ended with status {done.returncode}:\n{done.stdout[-6000:]}"
            )
        return done.stdout
