"""The bare repositories on disk, read and written through git: with ``git_http``, all that starts it here."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

# At most this many git processes read at once, however many requests there are.
READERS = 4
GIT_SECONDS = 60.0

CONFIGURATION = """\
[core]
\thooksPath = {hooks}
\tlogAllRefUpdates = false
[safe]
\tdirectory = *
[receive]
\tfsckObjects = true
\tautogc = false
\tadvertisePushOptions = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[transfer]
\thideRefs = refs/keep-around
\thideRefs = refs/environments
\thideRefs = refs/pipelines
[http]
\treceivepack = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
[init]
\tdefaultBranch = main
"""

# As on GitLab: access first, then a project's and everybody's server hooks, if an administrator has put some there.
PRE_RECEIVE = """\
#!/bin/sh
test -d custom_hooks || test -d "{custom}" || exec "{python}" -I -S "{script}"
lines=$(cat)
printf '%s\\n' "$lines" | "{python}" -I -S "{script}" || exit 1
for hook in custom_hooks/pre-receive.d/* "{custom}"/*; do
    test -f "$hook" && test -x "$hook" || continue
    printf '%s\\n' "$lines" | "$hook" || exit 1
done
"""

# Written to one side first: the report is there complete or not at all.
POST_RECEIVE = """\
#!/bin/sh
test -n "$GIT_DEVSERVER_PUSH_REPORT" || exit 0
cat >"$GIT_DEVSERVER_PUSH_REPORT.part" && mv "$GIT_DEVSERVER_PUSH_REPORT.part" "$GIT_DEVSERVER_PUSH_REPORT"
"""


class GitMissingError(Exception):
    """git, or its HTTP backend, is not installed."""


class GitFailedError(Exception):
    """A git command ended with an error; the message is git's."""


def http_backend() -> Path:
    """Return where ``git http-backend`` lies. Raise GitMissingError, with what to do."""
    import subprocess

    git = shutil.which("git")
    if git is None:
        raise GitMissingError("git was not found. The development server needs git with its HTTP backend: install git.")
    found = subprocess.run([git, "--exec-path"], capture_output=True, text=True, check=True)
    backend = Path(found.stdout.strip()) / "git-http-backend"
    if not backend.exists():
        raise GitMissingError(
            f"{backend} does not exist. The development server needs git's HTTP backend: install the full git package."
        )
    return backend


class Repositories:
    """The repositories below ``folder/repositories``, with the hooks and the configuration that all of them share."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repositories"
        self._home = folder / "git"
        self._readers = asyncio.Semaphore(READERS)

    def prepare(self) -> None:
        """Write what all repositories share."""
        hooks = self._home / "hooks"
        self.root.mkdir(parents=True, exist_ok=True)
        hooks.mkdir(parents=True, exist_ok=True)
        script, custom = Path(__file__).with_name("pre_receive.py"), hooks.absolute() / "pre-receive.d"
        _write(hooks / "pre-receive", PRE_RECEIVE.format(python=sys.executable, script=script, custom=custom), 0o755)
        _write(hooks / "post-receive", POST_RECEIVE, 0o755)
        _write(self._home / ".gitconfig", CONFIGURATION.format(hooks=hooks.absolute()), 0o644)

    def environment(self) -> dict[str, str]:
        """Return the environment of every git process: nothing of the user who started the server."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        return kept | {
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home / "none"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }

    def path(self, storage: str) -> Path:
        """Return the directory of a repository."""
        return self.root / storage

    async def run(self, storage: str, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run git in a repository and return what it printed. Raise GitFailedError."""
        return await self._git(("--git-dir", str(self.path(storage)), *arguments), stdin)

    async def create(self, storage: str, branch: str) -> None:
        """Make an empty bare repository whose HEAD names ``branch``."""
        self.path(storage).parent.mkdir(parents=True, exist_ok=True)
        await self._git(
            ("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(self.path(storage))), None
        )

    async def write_first_commit(self, storage: str, branch: str, *, title: str, name: str, email: str) -> str:
        """Commit a README to an empty repository and return the commit."""
        readme = f"# {title}\n".encode()
        message = b"Initial commit"
        who = _identity(name, email)
        stream = b"commit refs/heads/%s\ncommitter %s now\ndata %d\n%s\nM 100644 inline README.md\ndata %d\n%s\n" % (
            branch.encode(),
            who,
            len(message),
            message,
            len(readme),
            readme,
        )
        await self.run(storage, "fast-import", "--quiet", "--date-format=now", stdin=stream)
        return (await self.run(storage, "rev-parse", f"refs/heads/{branch}")).decode().strip()

    async def prune(self, storage: str, before: datetime) -> None:
        """Drop the objects that no ref holds and that were written before this moment."""
        seconds = f"@{int(before.timestamp())}"
        await self.run(storage, "repack", "-A", "-d", "--quiet", f"--unpack-unreachable={seconds}")
        await self.run(storage, "prune", f"--expire={seconds}")

    def delete(self, storage: str) -> None:
        """Remove a repository from disk."""
        shutil.rmtree(self.path(storage), ignore_errors=True)

    def head(self, storage: str, ref: str) -> str | None:
        """Return the object that a full ref names, read from the files without a process; None if there is none."""
        directory = self.path(storage)
        try:
            text = (directory / ref).read_text(encoding="ascii")
            if not text.startswith("ref:"):
                return text.strip() or None
        except (OSError, ValueError):
            pass  # no loose ref: packed, or none
        return self._packed(directory, ref)

    async def commit(self, storage: str, name: str) -> str | None:
        """Return the commit that a branch, tag, full ref or commit id names; None if there is none."""
        if not name or name.startswith("-") or "\0" in name:
            return None
        if name.startswith("refs/heads/") and ".." not in name:
            return self.head(storage, name)
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            try:
                found = await self.run(
                    storage, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}"
                )
            except GitFailedError:
                continue
            return found.decode().strip()
        return None

    def is_empty(self, storage: str) -> bool:
        """Return whether a repository has no branch."""
        directory = self.path(storage)
        if any(path.is_file() for path in (directory / "refs" / "heads").rglob("*")):
            return False
        packed = directory / "packed-refs"
        return not (packed.exists() and b" refs/heads/" in packed.read_bytes())

    async def _git(self, arguments: Sequence[str], stdin: bytes | None) -> bytes:
        async with self._readers:
            process = await asyncio.create_subprocess_exec(
                "git",
                *arguments,
                stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self.environment(),
            )
            try:
                output, errors = await asyncio.wait_for(process.communicate(stdin), GIT_SECONDS)
            except BaseException:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                raise
        if process.returncode:
            raise GitFailedError(errors.decode(errors="replace").strip())
        return output

    @staticmethod
    def _packed(directory: Path, ref: str) -> str | None:
        wanted = b" " + ref.encode("utf-8", "surrogateescape")
        try:
            lines = (directory / "packed-refs").read_bytes().splitlines()
        except OSError:
            return None
        for line in lines:
            if line.endswith(wanted) and line.index(b" ") == len(line) - len(wanted):
                return line[: line.index(b" ")].decode()
        return None


def _identity(name: str, email: str) -> bytes:
    clean = "".join(character for character in name if character not in "<>\n\0").strip() or "GitLab"
    address = "".join(character for character in email if character not in "<> \n\0")
    return f"{clean} <{address}>".encode()


def _write(path: Path, text: str, mode: int) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(mode)
    temporary.replace(path)
