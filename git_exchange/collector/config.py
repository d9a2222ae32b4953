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
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from git_exchange.errors import ConfigurationError
from git_exchange.files.toml import read_toml
from git_exchange.settings import Settings

_Part = TypeVar("_Part")
_HINT = "hooks/collector/collector.toml shows a whole file, docs/reference/collector.md every key."


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


@dataclass(frozen=True)
class _Forge:
    """What stands above the tables."""

    url: str
    namespace: str
    courses: tuple[str, ...]
    kind: str = "auto"
    cache_dir: Path | None = None
    ca_bundle: Path | None = None
    grace_seconds: float = 300.0


_TABLES = {"hooks", "receiver", "storage", "work", "sweep", "collect"}
_WORDS = {"str": "a text", "int": "a number", "float": "a number", "Path": "a file's name", "tuple": "a list of texts"}


def read_config(path: Path) -> CollectorConfig:
    """Return what the file says; paths in it are relative to it. Raise ConfigurationError naming what is wrong."""
    said = read_toml(path)
    forge = _part(path, "", _Forge, {name: value for name, value in said.items() if name not in _TABLES})
    if not forge.courses:
        raise ConfigurationError(f"{path} names no course.", hint='For example:  courses = ["calculus"]')
    settings = Settings(forge.url, forge.namespace, forge.kind, ca_bundle=forge.ca_bundle)
    settings = replace(settings, grace_seconds=forge.grace_seconds, cache_dir=forge.cache_dir or settings.cache_dir)
    rules = said.get("collect", [])
    if not isinstance(rules, list):
        raise ConfigurationError(f"{path}: collect must be a list of tables.", hint="Begin each with [[collect]].")
    return CollectorConfig(
        settings=settings,
        courses=forge.courses,
        hooks=_part(path, "hooks", Hooks, said.get("hooks", {})),
        receiver=_part(path, "receiver", Receiver, said.get("receiver", {})),
        storage=_part(path, "storage", Storage, said.get("storage", {})),
        work=_part(path, "work", Work, said.get("work", {})),
        sweep=_part(path, "sweep", Sweep, said.get("sweep", {})),
        collect=tuple(_part(path, "collect", CollectRule, rule) for rule in rules),
    )


def _part(path: Path, name: str, kind: type[_Part], said: Any) -> _Part:
    """Return one table of the file as its value. Raise ConfigurationError naming the key that is wrong."""
    where = f"{path}: [{name}]" if name else str(path)
    if not isinstance(said, Mapping):
        raise ConfigurationError(f"{where} must be a table.")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    if unknown := sorted(said.keys() - known.keys()):
        raise ConfigurationError(
            f"{where} has unknown keys: {', '.join(unknown)}.",
            hint=f"Known: {', '.join(sorted(known.keys() | (set() if name else _TABLES)))}.",
        )
    needed = [key for key, field in known.items() if field.default is MISSING]
    if missing := [key for key in needed if key not in said]:
        raise ConfigurationError(f"{where} lacks {', '.join(missing)}.", hint=_HINT)
    return kind(**{key: _value(path, f"{where} {key}", str(known[key].type), value) for key, value in said.items()})


def _value(path: Path, what: str, wanted: str, value: object) -> object:
    """Return a value as the type that its field names."""
    if wanted.startswith("Path") and isinstance(value, str):
        return path.parent / Path(value).expanduser()
    if wanted.startswith("tuple") and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if wanted == "str" and isinstance(value, str):
        return value
    numbers = {"int": (int,), "float": (int, float)}.get(wanted, ())
    if isinstance(value, numbers) and not isinstance(value, bool):
        return value
    word = next(text for name, text in _WORDS.items() if wanted.startswith(name))
    raise ConfigurationError(f"{what} = {value!r} must be {word}.", hint=_HINT)
