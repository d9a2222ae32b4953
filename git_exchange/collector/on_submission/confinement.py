"""How a command is shut in: as another user in namespaces of its own, or in a container. Builds, and starts nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from git_exchange.collector.config import CollectRule
from git_exchange.errors import ConfigurationError

# What `as_user` starts: all of util-linux.
TOOLS = ("unshare", "setpriv", "mount")
# The exit status of `as_user` when the time was over.
TIMED_OUT = 124
# What a container's client needs of our own environment. Nothing of it comes into the container.
_CLIENT = ("PATH", "HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "CONTAINER_HOST")


@dataclass(frozen=True)
class Person:
    """A user of this machine, by number; ``groups`` are all of the user's."""

    name: str
    user: int
    group: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Start:
    """What to start, with which environment (all of it), and what ends what the first process's end does not."""

    command: tuple[str, ...]
    variables: Mapping[str, str]
    ending: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """The course directory and the folders of it that may be written to; absolute, without links."""

    course_dir: Path
    writable: tuple[Path, ...]


def place(rule: CollectRule) -> Place:
    """Return the rule's folders. Raise ConfigurationError if they are not there, or too much would be writable."""
    root = rule.course_dir.resolve()
    if not root.is_dir():
        raise ConfigurationError(
            f"The course directory {rule.course_dir} of the rule for {rule.course} is not there.",
            hint="Correct course_dir; it is on the machine on which `git-exchange collector work` runs.",
        )
    folders = []
    for name in rule.writable:
        folder = (root / name).resolve()
        if root not in folder.parents or folder.relative_to(root).parts[0] in (".git-exchange", "submitted", "source"):
            raise ConfigurationError(
                f"on_submission may not write to {name!r} of the course directory.",
                hint="Name folders in it that nobody else relies on: autograded, and the one that holds gradebook.db.",
            )
        if not folder.is_dir():
            raise ConfigurationError(
                f"{name!r} is to be writable, and is no folder in {rule.course_dir}.",
                hint="Make it, for the group of whoever runs on_submission: docs/how-to/collector.md shows how.",
            )
        folders.append(folder)
    return Place(root, tuple(folders))


def as_user(
    rule: CollectRule,
    where: Place,
    person: Person,
    home: Path,
    command: Sequence[str],
    own: Mapping[str, str] = os.environ,
) -> Start:
    """Return how root runs the command as that person; ``home`` is an empty folder. Needs ``TOOLS``."""
    ask = {
        "course": str(where.course_dir),
        "writable": [str(folder) for folder in where.writable],
        "home": str(home),
        "user": person.user,
        "group": person.group,
        "groups": list(person.groups),
        "memory": rule.memory,
        "processes": rule.processes,
        "seconds": rule.seconds,
        "timed_out": TIMED_OUT,
        "command": list(command),
    }
    namespaces = ("--net", "--ipc", "--uts", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child=KILL")
    first = (sys.executable, "-I", str(Path(__file__).with_name("inside.py")), json.dumps(ask))
    variables = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", os.defpath)]),
        "LANG": "C.UTF-8",
        "USER": person.name,
        "LOGNAME": person.name,
        **({"TZ": own["TZ"]} if "TZ" in own else {}),
    }
    return Start(("unshare", *namespaces, "--", "setpriv", "--no-new-privs", "--", *first), variables)


def in_container(
    rule: CollectRule,
    where: Place,
    engine: str,
    name: str,
    command: Sequence[str],
    own: Mapping[str, str] = os.environ,
) -> Start:
    """Return how ``engine`` (path of podman or docker) runs the command in a new container called ``name``.

    The course directory has the same path in there. Raise ConfigurationError.
    """
    owner = where.writable[0].stat() if where.writable else where.course_dir.stat()
    if owner.st_uid == 0:
        raise ConfigurationError(
            "on_submission would run as root in its container: the folders that it may write to belong to root.",
            hint="Give them to another user: chown -R USER autograded gradebook.",
        )
    rootless = Path(engine).name == "podman" and os.geteuid() != 0
    options = [
        *("run", "--rm", "--init", "--pull=never", f"--name={name}", "--network=none", "--read-only"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *(f"--pids-limit={rule.processes}", f"--memory={rule.memory}", f"--memory-swap={rule.memory}"),
        *(f"--ulimit=cpu={int(rule.seconds) + 1}", "--ulimit=core=0"),
        *(["--userns=keep-id"] if rootless else []),
        # For a collector that is killed meanwhile; docker knows no such limit.
        *([f"--timeout={int(rule.seconds) + 10}"] if Path(engine).name == "podman" else []),
        f"--user={owner.st_uid}:{owner.st_gid}",
        *("--tmpfs=/tmp:rw,nosuid,nodev,size=512m,mode=1777", "--env=HOME=/tmp", "--env=LANG=C.UTF-8"),
        _mount(where.course_dir, readonly=True),
        *(_mount(folder, readonly=False) for folder in where.writable),
        *(f"--workdir={where.course_dir}", "--", rule.container),
    ]
    variables = {key: own[key] for key in _CLIENT if key in own}
    return Start((engine, *options, *command), variables, (engine, "kill", name))


def _mount(folder: Path, *, readonly: bool) -> str:
    if "," in str(folder) or '"' in str(folder):
        raise ConfigurationError(
            f"A container cannot be given {folder}: engines take a comma in a path for its end.",
            hint="Give the course directory another name.",
        )
    return f"--mount=type=bind,source={folder},target={folder}" + (",readonly" if readonly else "")
