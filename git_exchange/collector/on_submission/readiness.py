"""Whether a rule's command may be run at all: found out by trying, just before, not by reading mode bits."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from git_exchange.collector.config import CollectorConfig, CollectRule
from git_exchange.collector.on_submission import arguments
from git_exchange.collector.on_submission.confinement import TOOLS, Person, Place, Start, as_user, in_container, place
from git_exchange.collector.on_submission.run import Ended, run
from git_exchange.course.credentials import token_file
from git_exchange.errors import ConfigurationError
from git_exchange.files.paths import display

ENGINES = ("podman", "docker")
_TRIAL_SECONDS = 30.0
# Prints the numbers of those arguments that are not as they have to be; sh, as that is there for every user.
_LOOK = """
n=0
for said; do
    n=$((n + 1)); path=${said#*:}
    case $said in
    secret:*) if [ -r "$path" ] || [ -w "$path" ]; then echo $n; fi ;;
    read:*) [ -r "$path" ] && [ -x "$path" ] || echo $n ;;
    write:*) [ -w "$path" ] && [ -x "$path" ] || echo $n ;;
    program:*) command -v -- "$path" > /dev/null || echo $n ;;
    esac
done
"""


@dataclass(frozen=True)
class Ready:
    """A rule whose command may be run, with everything that it takes."""

    rule: CollectRule
    where: Place
    person: Person | None
    engine: str

    @contextmanager
    def started(self, command: Sequence[str]) -> Iterator[Start]:
        """Give what to start for this command, and tidy up afterwards."""
        if self.person is None:
            yield in_container(self.rule, self.where, self.engine, f"git-exchange-{uuid.uuid4().hex}", command)
            return
        with tempfile.TemporaryDirectory(prefix="git-exchange-run-") as home:
            Path(home).chmod(0o711)  # the user's own home lies over it while something runs
            yield as_user(self.rule, self.where, self.person, Path(home), command)


def secrets(config: CollectorConfig, path: Path) -> tuple[Path, ...]:
    """Return the files that no student's code may read; ``path`` is that of the configuration itself."""
    storage = (config.storage.database, config.storage.queue)
    found = [token_file(), config.hooks.keys_file, config.receiver.metrics_token_file, Path.home() / ".git-credentials"]
    found += [path for url in storage if urlsplit(url).password]
    # Who can write the queue runs code in the workers.
    found += [Path(url.partition(":///")[2]) for url in storage if url.startswith("sqlite")]
    return tuple(sorted({file.absolute() for file in found if file is not None and file.exists()}))


def ready(rule: CollectRule, hidden: Sequence[Path]) -> Ready:
    """Return what running the rule's command takes; ``hidden`` are files that it must not be able to read.

    Raise ConfigurationError, which says why it is refused and what to do about it.
    """
    arguments.check(rule.on_submission)
    if bool(rule.run_as) == bool(rule.container):
        raise ConfigurationError(
            f"on_submission of the rule for {rule.course} is not run: it says"
            f" {'both run_as and container' if rule.run_as else 'neither run_as nor container'}.",
            hint="Students' code runs there. Name another user with run_as, or an image with container.",
        )
    where = place(rule)
    if inside := [file for file in hidden if where.course_dir in file.resolve().parents]:
        raise ConfigurationError(
            f"on_submission of the rule for {rule.course} is not run: the secret {inside[0].name} lies in the course"
            " directory.",
            hint="Move it to where only the collector's own account can read.",
        )
    if rule.container:
        return _with_container(rule, where)
    found = Ready(rule, where, _person(rule), "")
    _try(found, hidden)
    return found


def _person(rule: CollectRule) -> Person:
    """Return who the command runs as."""
    if not sys.platform.startswith("linux"):
        raise ConfigurationError(
            "run_as works on Linux only: it takes Linux's namespaces to cut off the network.",
            hint="Use container, or run the collector on Linux.",
        )
    import pwd

    if os.geteuid() != 0:
        raise ConfigurationError(
            f"on_submission is not run: only root can start something as {display(rule.run_as)}, and the collector is"
            " not root.",
            hint="Run `git-exchange collector work` as root on the course directory's machine, or use container.",
        )
    try:
        entry = pwd.getpwnam(rule.run_as)
    except KeyError as error:
        raise ConfigurationError(
            f"on_submission is not run: this machine has no user {display(rule.run_as)}.",
            hint=f"Make one: useradd --system --shell /usr/sbin/nologin {display(rule.run_as)}",
        ) from error
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    if entry.pw_uid in (0, os.getuid(), os.geteuid()) or 0 in groups:
        raise ConfigurationError(
            f"on_submission is not run as {display(rule.run_as)}: that is root, the collector's own user, or in root's"
            " group.",
            hint="Make a user for nothing else, and name that one with run_as.",
        )
    for tool in TOOLS:
        if shutil.which(tool) is None:
            raise ConfigurationError(
                f"on_submission is not run: {tool} is not installed.", hint="Install util-linux, or use container."
            )
    return Person(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)


def _try(found: Ready, hidden: Sequence[Path]) -> None:
    """Look as that user, shut in as the command will be, at what it could do."""
    rule, name = found.rule, display(found.rule.run_as)
    looks = [
        *(("secret", str(file)) for file in hidden),
        ("read", str(found.where.course_dir)),
        *(("write", str(folder)) for folder in found.where.writable),
        ("program", rule.on_submission[0]),
    ]
    trial = replace(found, rule=replace(rule, seconds=_TRIAL_SECONDS))
    with trial.started(["/bin/sh", "-c", _LOOK, "sh", *(f"{kind}:{path}" for kind, path in looks)]) as start:
        ended = run(start, _TRIAL_SECONDS)
    said = ended.output.decode("utf-8", "replace").split()
    if ended.status != 0 or not all(word.isdigit() for word in said):
        raise ConfigurationError(
            f"on_submission is not run: it cannot be shut in as {name}. {_last_line(ended)}".rstrip(),
            hint="The collector has to be root with CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SETUID and CAP_SETGID; or use"
            " container.",
        )
    for word in said:
        kind, path = looks[int(word) - 1]
        if kind == "secret":
            raise ConfigurationError(
                f"on_submission is not run as {name}, who can read or write {Path(path).name}: that holds a secret of"
                " the collector's.",
                hint=f"Run: chmod 600 {path}  (and replace the secret if it may have been read).",
            )
        if kind == "program":
            raise ConfigurationError(
                f"on_submission is not run: {name} finds no program {display(path)}.",
                hint="Write its whole path, and install it where that user can read.",
            )
        raise ConfigurationError(
            f"on_submission is not run: {name} cannot {kind} {display(Path(path).name)}.",
            hint="Share the course directory with that user's group: docs/how-to/collector.md shows how.",
        )


def _with_container(rule: CollectRule, where: Place) -> Ready:
    engine = next((path for name in ENGINES if (path := shutil.which(name)) is not None), None)
    if engine is None:
        raise ConfigurationError(
            "on_submission is not run: there is neither podman nor docker.", hint="Install podman, or use run_as."
        )
    found = Ready(rule, where, None, engine)
    with found.started(rule.on_submission) as start:
        look = Start((engine, "image", "inspect", "--", rule.container), start.variables)
        ended = run(look, _TRIAL_SECONDS)
    if ended.status != 0:
        raise ConfigurationError(
            f"on_submission is not run: {Path(engine).name} does not have the image {display(rule.container)}, or does"
            f" not answer. {_last_line(ended)}".rstrip(),
            hint=f"Get it beforehand, as nothing is fetched during a run: {Path(engine).name} pull {rule.container}",
        )
    return found


def _last_line(ended: Ended) -> str:
    lines = ended.output.decode("utf-8", "replace").strip().splitlines()
    return display(lines[-1])[:200] if lines else ""
