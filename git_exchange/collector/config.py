"""The collector's configuration: one TOML file, without a secret in it.

::

    url = "https://git.example.edu"
    namespace = "teaching"
    courses = ["calculus", "algebra"]
    # The collector's own account: an instructor of its courses. GIT_EXCHANGE_TOKEN_FILE names its token.

    [hooks]
    public_url = "https://collector.example.edu"      # where the forge reaches the receiver
    keys_file = "hook-keys"                           # made by `git-exchange collector keys new`

    [receiver]
    address = "127.0.0.1"
    port = 8077
    max_body = 2000000                                # bytes
    metrics_token_file = "metrics-token"              # who shows it may read /metrics from elsewhere

    [storage]
    database = "sqlite:////var/lib/git-exchange/inbox.db"       # or postgresql+psycopg://...
    queue = "sqlite:////var/lib/git-exchange/queue.db"          # or redis://127.0.0.1:6379/0

    [work]
    workers = 2
    lease_seconds = 300
    max_tries = 5

    [sweep]
    seconds = 300

    [[collect]]                                       # opt-in, on the machine that has the course directory
    course = "calculus"
    assignments = ["ps*"]
    course_dir = "/srv/calculus"
    on_submission = ["nbgrader", "autograde", "{assignment}", "--student", "{student}"]
    run_as = "autograder"                             # or container = "IMAGE"
    writable = ["autograded", "gradebook"]            # all that the command may write to, in the course directory
    seconds = 600
    memory = 4000000000                               # bytes, of each process
    processes = 512
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import tomli

from git_exchange.errors import ConfigurationError
from git_exchange.settings import Settings

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Hooks:
    """Where the forge sends to (``public_url``), and the file with the keys of all hooks' secrets."""

    public_url: str
    keys_file: Path


@dataclass(frozen=True)
class Receiver:
    """Where the receiver listens; ``max_body`` in bytes. ``metrics_token_file``: None: /metrics for loopback only."""

    address: str = "127.0.0.1"
    port: int = 8077
    max_body: int = 2_000_000
    metrics_token_file: Path | None = None


@dataclass(frozen=True)
class Storage:
    """The inbox (an SQLAlchemy URL) and the queue ("sqlite:///file" or "redis://host:port/number")."""

    database: str
    queue: str


@dataclass(frozen=True)
class Work:
    """How jobs are done; seconds. A job that failed ``max_tries`` times is dead until somebody revives it."""

    workers: int = 2
    lease_seconds: float = 300.0
    max_tries: int = 5


@dataclass(frozen=True)
class Sweep:
    """How often heads are compared with records, in seconds."""

    seconds: float = 300.0


@dataclass(frozen=True)
class CollectRule:
    """What is also collected into ``course_dir``, and what is run then (empty: nothing) as whom.

    ``assignments`` are patterns. The command's parts may hold ``{course}``, ``{assignment}`` and ``{student}``.
    ``writable`` are folders of the course directory; the command cannot write to the rest of it. ``memory`` (bytes) is
    the most that a process of it may have, ``seconds`` how long it may take.
    """

    course: str
    assignments: tuple[str, ...]
    course_dir: Path
    on_submission: tuple[str, ...] = ()
    run_as: str = ""
    container: str = ""
    writable: tuple[str, ...] = ("autograded", "gradebook")
    seconds: float = 600.0
    memory: int = 4_000_000_000
    processes: int = 512

    def names(self, assignment_id: str) -> bool:
        """Return whether the rule is about the assignment."""
        return any(fnmatch.fnmatchcase(assignment_id, pattern) for pattern in self.assignments)


@dataclass(frozen=True)
class CollectorConfig:
    """The whole file."""

    settings: Settings
    courses: tuple[str, ...]
    hooks: Hooks
    receiver: Receiver
    storage: Storage
    work: Work
    sweep: Sweep
    collect: tuple[CollectRule, ...]


_FORGE = {"url", "namespace", "kind", "cache_dir", "ca_bundle", "grace_seconds"}


def read_config(path: Path) -> CollectorConfig:
    """Return what the file says; paths in it are relative to it. Raise ConfigurationError naming what is wrong."""
    try:
        said = tomli.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML in UTF-8: {error}.") from error
    known = _FORGE | {"courses", "hooks", "receiver", "storage", "work", "sweep", "collect"}
    if unknown := sorted(said.keys() - known):
        raise ConfigurationError(
            f"{path} has unknown keys: {', '.join(unknown)}.", hint=f"Known: {', '.join(sorted(known))}."
        )
    for name in ("url", "namespace", "courses", "hooks", "storage"):
        if not said.get(name):
            raise ConfigurationError(f"{path} lacks {name}.", hint="docs/how-to/collector.md shows a whole file.")
    forge = {name: said[name] for name in _FORGE & said.keys()}
    for name in ("cache_dir", "ca_bundle"):
        if name in forge:
            forge[name] = path.parent / forge[name]
    return CollectorConfig(
        settings=Settings(**forge),
        courses=tuple(str(course) for course in said["courses"]),
        hooks=_part(path, "hooks", Hooks, said["hooks"]),
        receiver=_part(path, "receiver", Receiver, said.get("receiver", {})),
        storage=_part(path, "storage", Storage, said["storage"]),
        work=_part(path, "work", Work, said.get("work", {})),
        sweep=_part(path, "sweep", Sweep, said.get("sweep", {})),
        collect=tuple(_part(path, "collect", CollectRule, one) for one in said.get("collect", [])),
    )


def _part(path: Path, name: str, kind: type[_Part], said: Any) -> _Part:
    """Return one table of the file as its value. Raise ConfigurationError naming the key that is wrong."""
    if not isinstance(said, Mapping):
        raise ConfigurationError(f"{path}: [{name}] must be a table.")
    known = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    if unknown := sorted(said.keys() - known.keys()):
        raise ConfigurationError(
            f"{path}: [{name}] has unknown keys: {', '.join(unknown)}.", hint=f"Known: {', '.join(sorted(known))}."
        )
    values: dict[str, Any] = {}
    for key, value in said.items():
        wanted = known[key]
        if wanted.startswith("Path") and isinstance(value, str):
            values[key] = path.parent / Path(value).expanduser()
        elif wanted.startswith("tuple") and isinstance(value, list):
            values[key] = tuple(str(part) for part in value)
        elif (
            (wanted == "str" and isinstance(value, str))
            or (wanted == "int" and isinstance(value, int) and not isinstance(value, bool))
            or (wanted == "float" and isinstance(value, (int, float)) and not isinstance(value, bool))
        ):
            values[key] = value
        else:
            raise ConfigurationError(f"{path}: [{name}] {key} = {value!r} is not what it should be ({wanted}).")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigurationError(f"{path}: [{name}] lacks something: {error}.") from error
