"""What went wrong when git failed: its exit status and messages as an error of ours.

Knows git's English messages. Lines that begin with "remote:" are the server's words: shown, escaped, never believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from git_exchange.errors import (
    CacheCorrupt,
    GitError,
    HostileRepository,
    RefMissing,
    RemoteDenied,
    RemoteUnreachable,
    SignInRefused,
)

MAX_WORDS = 2_000

_REF_MISSING = re.compile(r"couldn't find remote ref (\S+)", re.IGNORECASE)
_DENIED = re.compile(
    r"terminal prompts disabled|could not read (Username|Password)|Authentication failed|Access denied"
    r"|returned error: (401|403|404|410)\b|repository '[^']*' not found|Repository not found|remote error:"
    r"|does not appear to be a git repository",
)
_REDIRECTED = re.compile(r"returned error: 3\d\d|unable to update url base from redirection")
_FSCK = re.compile(r"fsck error|^(?:error|warning)(?:: object| in \w+) [0-9a-f]{40,64}: ", re.MULTILINE)
# What upload-pack says when objects are missing: trying again does not help.
_DAMAGED = "possible repository corruption on the remote side"
_TOO_LARGE = re.compile(r"attempting to (allocate|mmap) \d+ over limit")
_LOCAL = re.compile(
    r"cannot lock ref|Unable to create '[^']*\.lock'|not a git repository|unable to normalize alternate object path"
    r"|check \S*objects/info/alternates|does not point to a valid object|loose object|object file"
    r"|packfile \S+ (is|cannot)|far too short to be a packfile|index file|unable to open \S*objects|no such repository"
    r"|No space left on device|Disk quota exceeded|Read-only file system|insufficient permission|Permission denied"
    r"|unable to create temporary|cannot create|unable to write|bad config",
)
_CONNECTION = re.compile(
    r"unable to access|RPC failed|early EOF|unexpected disconnect|hung up|Could not resolve|Failed to connect"
    r"|Connection (refused|reset|timed out)|timed out|Operation too slow|SSL|certificate|Recv failure|Send failure"
    r"|Empty reply|transfer closed|expected flush|unexpected end|disconnected|returned error: (429|5\d\d)"
    r"|invalid server response|not valid: is this a git repository|bad line length|protocol error"
    r"|invalid ls-refs response|expected response end packet|bytes of length header were received"
    # A page in place of git's answer: git takes the server for one that has files only.
    r"|git-http-push failed|Cannot access URL",
)
# These make the other end hang up as well, so they are looked for before the connection.
_MISSING = re.compile(
    r"(could not|unable to) (read|parse|get object info of) [0-9a-f]{40}|Failed to traverse parents"
    r"|did not send all necessary objects|bad (tree |commit )?object [0-9a-f]{40}|loose object [0-9a-f]{40}",
    re.IGNORECASE,
)
_INTEGRITY = re.compile(
    r"did not send all necessary objects|invalid index-pack output|index-pack (died|failed|abnormal)|unresolved delta"
    r"|pack (is corrupted|has bad object|signature mismatch|version)|inflate|bad (object|tree|commit|blob|header)"
    r"|missing (blob|tree|commit|object|necessary)|unable to (read|parse|unpack|find)|corrupt"
    r"|[Nn]ot a (valid|tree object)|[Ii]nvalid (object|commit|tree)|unknown revision"
    r"|Could not read|could not (open|get|read|parse)|Failed to traverse|broken|died of signal"
    r"|Needed a single revision|is empty",
)
# How GitLab wants such lines marked (docs.gitlab.com/administration/server_hooks), and how our own hook marks them.
_HOOK = re.compile(r"(?:GL-HOOK-ERR:\s*)(?:git-exchange:\s*)?|git-exchange:\s*")
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:/[^\s'\":,;]+){2,}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"]+")


class Untrustworthy(CacheCorrupt):
    """Objects do not fit together: either the local copy is damaged or the server sends nonsense."""


def failure(
    command: str, stderr: bytes, *, status: int, remote: bool, operands: Sequence[str] = (), secrets: Iterable[str] = ()
) -> GitError:
    """Return the error for a git command that ended with ``status``; ``remote`` if it talked to a server."""
    text = stderr.decode("utf-8", "replace")
    own = "\n".join(line for line in text.splitlines() if not line.startswith("remote:"))
    if _TOO_LARGE.search(own):
        return HostileRepository("The repository holds an object that would fill this machine's memory.")
    if not remote:
        return _local(command, own, status)
    where = next((shown(operand) for operand in operands if _URL.match(operand)), "the server")
    words = server_words(text, secrets)
    return _of_server(own, where, words, secrets) or _of_transfer(command, own, where, status, secrets)


def _of_server(own: str, where: str, words: str, secrets: Iterable[str]) -> GitError | None:
    """Return the error if the server said no, or what it holds is refused; None if it is something else."""
    if missing := _REF_MISSING.search(own):
        return RefMissing(
            f"The branch {escape(missing.group(1)).removeprefix('refs/heads/')} does not exist on {where}."
        )
    if _FSCK.search(own):
        return HostileRepository(f"What {where} holds failed git's checks: {_said(_fsck_lines(own), secrets)}")
    if _DAMAGED in words:
        said = "; ".join(words.splitlines())
        return HostileRepository(f"{where} is damaged on the server, which says: {said}")
    if _REDIRECTED.search(own):
        return RemoteUnreachable(
            f"{where} redirects git to another address, which is not followed.",
            hint="Check that the URL is the forge's final address (https, right host and port).",
        )
    return _denied(where, own, words, secrets) if _DENIED.search(own) else None


def _of_transfer(command: str, own: str, where: str, status: int, secrets: Iterable[str]) -> GitError:
    said = _said(own, secrets)
    if "unable to access" not in own and _LOCAL.search(own):
        return CacheCorrupt(f"The local copy cannot be used: {said}")
    if _MISSING.search(own):
        return Untrustworthy(f"Objects that belong to what {where} and the local copy hold are missing: {said}")
    if _CONNECTION.search(own):
        return RemoteUnreachable(f"The connection to {where} failed: {said}")
    if _INTEGRITY.search(own):
        return Untrustworthy(f"The objects from {where} do not fit together: {said}")
    return GitError(f"git {command} failed (status {status}): {said or 'it gave no reason'}")


def server_words(stderr: str, secrets: Iterable[str] = ()) -> str:
    """Return what the server said to the person ("remote:" lines), escaped, as one paragraph per line."""
    lines = [line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:")]
    kept = [line for line in lines if line.strip("=-* ")]
    return _without(escape("\n".join(kept)), secrets)[:MAX_WORDS]


def hook_words(says: str) -> str:
    """Return the lines of ``server_words`` that a hook of the server's administrators wrote for the person, or ""."""
    lines = [_HOOK.sub("", line) for line in says.splitlines() if _HOOK.match(line)]
    return "\n".join(line for line in lines if line)


def escape(text: str) -> str:
    """Return the text with control characters, bidirectional marks and the like written out (new lines stay)."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape", "backslashreplace").decode("ascii")
        for c in text
    )


def shown(url: str) -> str:
    """Return host and project path of a URL for messages, without credentials."""
    parts = urlsplit(url)
    return escape(f"{parts.hostname or ''}{parts.path}".removesuffix(".git"))


def with_server(operands: Iterable[str]) -> str:
    """Return " with " and the server that a command talks to, for messages; "" if there is none."""
    return next((f" with {shown(operand)}" for operand in operands if _URL.match(operand)), "")


def _denied(where: str, own: str, words: str, secrets: Iterable[str]) -> RemoteDenied:
    if "returned error: 403" in own:
        message = f"{where} refuses this account."
    elif "remote error:" in own:
        message = f"{where} refuses: {_said(own, secrets)}"
    elif re.search("not found|returned error: 4(04|10)|does not appear", own):
        message = f"{where} does not exist, or this account may not see it."
    else:
        return SignInRefused(f"{where} does not accept the credentials. {words}".rstrip())
    return RemoteDenied(f"{message} {words}".rstrip())


def _local(command: str, own: str, status: int) -> GitError:
    said = _said(own, ())  # local commands know no secret
    if _LOCAL.search(own) or _INTEGRITY.search(own) or _FSCK.search(own):
        return CacheCorrupt(f"The local copy is damaged (git {command}): {said}")
    return GitError(f"git {command} failed (status {status}): {said or 'it gave no reason'}")


def _fsck_lines(own: str) -> str:
    return "\n".join(line for line in own.splitlines() if _FSCK.search(line)) or own


def _said(text: str, secrets: Iterable[str]) -> str:
    """Return git's own words as one short line without paths, addresses and secrets."""
    lines = [re.sub(r"^(fatal|error|warning): ", "", line.strip()) for line in text.splitlines() if line.strip()]
    joined = escape("; ".join(dict.fromkeys(lines)))
    return _without(_PATH.sub("(path)", _URL.sub(lambda found: shown(found.group()), joined)), secrets)[:500]


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
