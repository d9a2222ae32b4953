"""A plain git repository from which tests push over HTTP as somebody, without any code of ours."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from git_exchange.secret import Token


@dataclass(frozen=True)
class Pushed:
    """Whether git says that it worked, and what it said."""

    accepted: bool
    output: str


class WorkingCopy:
    """A repository in ``folder``, made when it is constructed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, token: Token | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run git in the folder; the token goes into the environment, as an ``Authorization`` header."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@example.invalid",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@example.invalid",
        }
        if token is not None:
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: {token.basic_authorization()}",
            }
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=check,
        )

    def commit(self, message: str, *, parent: str | None = None, text: str | None = None) -> str:
        """Return a new commit of one file, whose text is the message if not given, on ``parent`` or without one."""
        (self.folder / "p1.txt").write_text(message if text is None else text)
        self.git("add", "p1.txt")
        tree = self.git("write-tree").stdout.strip()
        parents = ["-p", parent] if parent else []
        return self.git("commit-tree", tree, *parents, "-m", message).stdout.strip()

    def push(self, url: str, token: Token, *refspecs: str) -> Pushed:
        """Push; "+" in a refspec forces, an empty left side deletes."""
        done = self.git("push", url, *refspecs, token=token, check=False)
        return Pushed(done.returncode == 0, done.stdout)

    def read(self, url: str, token: Token) -> dict[str, str] | None:
        """Return the branches and tags that ``ls-remote`` shows, None if it is refused."""
        done = self.git("ls-remote", "--heads", "--tags", url, token=token, check=False)
        if done.returncode != 0:
            return None
        return {ref: commit for commit, _, ref in (line.partition("\t") for line in done.stdout.splitlines())}
