"""What no test may touch: the real home, global git configuration, any address off loopback.

``install`` moves the process (and so every program that it starts) into a home of its own, and watches by an audit hook
what this process opens and connects to. What programs started by tests do is held by their environment.
"""

from __future__ import annotations

import atexit
import ipaddress
import os
import pwd
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Reading these would make a test depend on who runs it.
PERSONAL = (
    ".gitconfig",
    ".git-credentials",
    ".netrc",
    ".config",
    ".jupyter",
    ".ipython",
    ".local/share/jupyter",
    ".ssh",
)

# The real servers that whoever runs the tests has named, by their addresses.
TEST_SERVERS = ("GIT_EXCHANGE_TEST_GITLAB_URL",)

violations: list[str] = []


class GuardViolation(BaseException):
    """A test touched what no test may touch. Not an Exception, so that no code under test can swallow it."""


def install() -> Path:
    """Set the environment, start watching, and return the home that tests have."""
    named = _named_addresses()
    # HOME may be the one that the process which started this worker made for itself.
    real = Path(pwd.getpwuid(os.getuid()).pw_dir)
    home = Path(tempfile.mkdtemp(prefix="git-exchange-tests-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in list(os.environ):
        if name.startswith(("GIT_", "JUPYTER", "NBGRADER", "XDG_", "GIT_EXCHANGE")) and not name.startswith(
            "GIT_EXCHANGE_TEST_"
        ):
            del os.environ[name]
    os.environ.update(
        HOME=str(home),
        XDG_CONFIG_HOME=str(home / ".config"),
        XDG_CACHE_HOME=str(home / ".cache"),
        XDG_DATA_HOME=str(home / ".local" / "share"),
        JUPYTER_CONFIG_DIR=str(home / ".jupyter"),
        JUPYTER_DATA_DIR=str(home / ".local" / "share" / "jupyter"),
        IPYTHONDIR=str(home / ".ipython"),
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    )
    _remember_alembic(home / "bin")
    _watch(str(real), named)
    return home


def _remember_alembic(folder: Path) -> None:
    """Put before PATH an alembic that asks the real one for nbgrader's newest schema once, and then knows.

    nbgrader asks for each gradebook that it makes, which costs two seconds every time.
    """
    real, told = shutil.which("alembic"), folder / "heads"
    if real is None:
        return
    folder.mkdir()
    script = folder / "alembic"
    script.write_text(
        f"""#!/bin/sh
[ "$#" = 3 ] && [ "$1" = -c ] && [ "$3" = heads ] || exec "{real}" "$@"
if [ ! -s "{told}" ]; then
    "{real}" "$@" >"{told}.$$" || exit
    mv "{told}.$$" "{told}"
fi
exec cat "{told}"
"""
    )
    script.chmod(0o755)
    os.environ["PATH"] = os.pathsep.join([str(folder), os.environ["PATH"]])


def _watch(real: str, named: frozenset[str]) -> None:
    forbidden = tuple(os.path.join(real, name) for name in PERSONAL)  # noqa: PTH118 - called for every open
    # Python itself, the environment and the checkout may lie in the home.
    own = tuple({sys.prefix, sys.base_prefix, str(Path(__file__).parent.parent), tempfile.gettempdir()})

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode = arguments[0], arguments[1]
            if isinstance(path, str):
                _check_file(path, mode)
        elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.rename"):
            if isinstance(arguments[0], str) and _inside(arguments[0], (real,)) and not _inside(arguments[0], own):
                _violated(f"{event} {arguments[0]}")
        elif event == "socket.connect":
            _check_address(arguments[1], named)

    def _check_file(path: str, mode: object) -> None:
        if not path.startswith(real) or _inside(path, own):
            return
        if _inside(path, forbidden) or (isinstance(mode, str) and set(mode) & set("wax+")):
            _violated(f"open {path}")

    sys.addaudithook(hook)


def _inside(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def _check_address(address: object, named: frozenset[str]) -> None:
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return  # a Unix socket
    if address[0] in named:
        return
    try:
        loopback = ipaddress.ip_address(address[0].partition("%")[0]).is_loopback
    except ValueError:
        loopback = address[0] == "localhost"
    if not loopback:
        _violated(f"connect to {address[0]}")


def _named_addresses() -> frozenset[str]:
    found: set[str] = set()
    for variable in TEST_SERVERS:
        host = urlsplit(os.environ.get(variable, "")).hostname
        if host:
            found |= {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    return frozenset(found)


def _violated(what: str) -> None:
    violations.append(what)
    raise GuardViolation(what)
