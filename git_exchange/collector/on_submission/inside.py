"""The first process of a run: a program of its own, started as root in fresh namespaces, that imports nothing of ours.

It shuts the rest in: loopback of its own and no other network, an empty ``/run`` (where other services listen), the
course directory read-only but for the folders named, a home in memory, limits, another user. It never becomes that user
itself, so that the command cannot touch it; when it ends, the kernel ends everything else in its namespaces.

Its argument is JSON: ``course``, ``writable`` (folders), ``home`` (an empty folder), ``user``, ``group``, ``groups``
(numbers), ``memory``, ``processes``, ``seconds``, ``timed_out`` and ``command``. Exit status: the command's,
``timed_out`` after ``seconds``, 125 if it could not be started.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_NOT_STARTED = 125
_MAX_FILE = 1_000_000_000
_HOME_SIZE = "512m"
# <linux/sockios.h>, <linux/if.h>
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_OCTAL = re.compile(r"\\([0-7]{3})")


def main(said: str) -> int:
    """Shut in what follows and run the command."""
    ask = json.loads(said)
    user, group = int(ask["user"]), int(ask["group"])
    _loopback()
    _narrow(ask["course"], ask["writable"])
    _mount(
        "-t", "tmpfs", "-o", f"nosuid,nodev,size={_HOME_SIZE},mode=0700,uid={user},gid={group}", "tmpfs", ask["home"]
    )
    seconds = float(ask["seconds"])
    for what, limit in (
        (resource.RLIMIT_AS, int(ask["memory"])),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_NPROC, int(ask["processes"])),
        (resource.RLIMIT_FSIZE, _MAX_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    child = subprocess.Popen(
        ask["command"],
        stdin=subprocess.DEVNULL,
        cwd=ask["course"],
        env={**os.environ, "HOME": ask["home"], "TMPDIR": ask["home"]},
        user=user,
        group=group,
        extra_groups=ask["groups"],
        # What it leaves belongs to the folder's group too: the people who look at it next.
        umask=0o002,
    )
    try:
        status = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return int(ask["timed_out"])
    return status if status >= 0 else 128 - status


def _loopback() -> None:
    """Switch on the namespace's own loopback: a kernel and nbgrader talk over it. It leads nowhere else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


def _narrow(course: str, writable: Sequence[str]) -> None:
    """Make the course directory read-only, with whatever is mounted in it, but for ``writable``; hide ``/run``."""
    _mount("--rbind", course, course)
    for folder in writable:
        _mount("--rbind", folder, folder)
    for point in _mounted(course):
        if not any(_within(point, folder) for folder in writable):
            _mount("-o", "remount,bind,ro", point)
    _mount("-t", "tmpfs", "-o", "ro,nosuid,size=64k", "tmpfs", "/run")


def _mounted(course: str) -> list[str]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
        points = [_OCTAL.sub(lambda found: chr(int(found[1], 8)), line.split(" ")[4]) for line in file]
    return sorted({point for point in points if _within(point, course)})


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", "-n", *arguments], check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"The command could not be shut in or started: {error}\n")
        sys.exit(_NOT_STARTED)
