"""How long until a submission is on record: a course that hands in at a steady rate, receiver and worker as programs.

``python -m benchmarks.collector [MINUTES] [--shared]``: 100 submissions a minute by 100 students; ``--shared`` puts the
inbox on PostgreSQL and the queue on Redis. ``--burst SECONDS`` sends 100 deliveries a second to the receiver instead.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from git_exchange.course.seats import seats
from git_exchange.devserver import RunningServer
from git_exchange.rules import hook_secrets, layout
from git_exchange.secret import Token
from tests.collector import deliveries
from tests.collector.receiving import post, until, write_keys
from tests.collector.servers import PostgreSQL, Redis
from tests.contract.working_copy import WorkingCopy
from tests.unit.school import COURSE, School

STUDENTS = int(os.environ.get("BENCHMARK_STUDENTS", "100"))
PER_MINUTE = 100
PROGRAM = [sys.executable, "-m", "git_exchange.cli.main", "collector"]
REF = layout.submit_ref("ps1")


@dataclass
class Record:
    """The staff's record as it lies on the server's disk: when which commit came into it, by our monotonic clock."""

    repository: Path
    seen: dict[str, float] = field(default_factory=dict)

    def watch(self, stop: threading.Event) -> None:
        """Look every twentieth of a second until told to stop."""
        ref, known = self.repository / "refs/heads/main", ""
        while not stop.wait(0.05):
            now, head = time.monotonic(), ref.read_text()
            if head != known:
                known = head
                for commit in self._pinned():
                    self.seen.setdefault(commit, now)

    def pins(self) -> list[str]:
        """Return the commits of all pins on record, each as often as it is there."""
        return self._pinned()

    def _pinned(self) -> list[str]:
        shown = subprocess.run(
            ["git", "--git-dir", str(self.repository), "show", f"main:{layout.receipts_path('ps1')}"],
            capture_output=True,
            check=False,
        )
        lines = (json.loads(line) for line in shown.stdout.splitlines())
        return [line["commit"] for line in lines if line.get("kind") == "pin"]


def main() -> None:
    """Run what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--burst", type=float, metavar="SECONDS")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        place = Path(folder)
        database, queue = f"sqlite:///{place}/inbox.db", f"sqlite:///{place}/queue.db"
        if asked.shared:
            postgresql, redis = PostgreSQL(), Redis()
            for server in (postgresql, redis):
                closing.callback(server.stop)
                server.start()
            database, queue = postgresql.new_database("collector"), redis.url
        if asked.burst:
            _burst(place, database, queue, asked.burst)
        else:
            _steady(place, database, queue, asked.minutes)


def _steady(place: Path, database: str, queue: str, minutes: float) -> None:
    with RunningServer(place / "server") as server:
        school = School(server.url, Token(server.admin_token), place / "school")
        students = [f"s{number:03}" for number in range(STUDENTS)]
        school.open(*students)
        school.release()
        key = deliveries.KEY
        write_keys(place / "hook-keys", key)
        port = _free_port()
        _write_config(place, school, port, database, queue)
        forge, projects = school.forge(), {seat.student_id: seat.project for seat in seats(school.course())}
        for project in projects.values():
            url = hook_secrets.hook_url(f"http://127.0.0.1:{port}", COURSE, project.id)
            forge.ensure_hook(project.id, url, hook_secrets.derive(key, project.id))
        record = Record(_staff_repository(server.state))
        stop = threading.Event()
        watcher = threading.Thread(target=record.watch, args=(stop,))
        number = round(minutes * PER_MINUTE)
        copies = {name: _commits(place / "work" / name, -(-number // STUDENTS)) for name in students}
        urls = {name: f"{forge.git_url(projects[name])}" for name in students}
        pushed: dict[str, float] = {}

        def push(index: int) -> None:
            name = students[index % STUDENTS]
            copy, commits = copies[name]
            commit = commits[index // STUDENTS]
            copy.git("push", "--quiet", urls[name], f"{commit}:{REF}", token=school.token(name))
            pushed[commit] = time.monotonic()

        with _programs(place, school.token("teacher")):
            watcher.start()
            began = time.monotonic()
            with ThreadPoolExecutor(8) as pool:
                waiting = []
                for index in range(number):
                    time.sleep(max(0.0, began + index * 60 / PER_MINUTE - time.monotonic()))
                    waiting.append(pool.submit(push, index))
                for one in waiting:
                    one.result()
            ended = time.monotonic()
            until(lambda: pushed.keys() <= record.seen.keys(), 900)
            time.sleep(5)  # whatever would be recorded twice has been by now
        stop.set()
        watcher.join()
        pins = record.pins()
        latencies = sorted(record.seen[commit] - at for commit, at in pushed.items())
        print(
            f"{len(pushed)} submissions in {(ended - began) / 60:.1f} minutes; on record {len(set(pins))},"
            f" twice {len(pins) - len(set(pins))}"
        )
        print(
            f"from push to record: median {statistics.median(latencies):.2f} s,"
            f" 99 % within {latencies[int(len(latencies) * 0.99)]:.2f} s, longest {latencies[-1]:.2f} s"
        )


def _burst(place: Path, database: str, queue: str, seconds: float) -> None:
    write_keys(place / "hook-keys", deliveries.KEY)
    port = _free_port()
    _config(place, "https://git.example.edu", "teaching", port, database, queue)
    with _programs(place, None) as (receiver,):
        url, answers = f"http://127.0.0.1:{port}", []

        def send(number: int) -> None:
            began = time.perf_counter()
            answer = post(url, project_id=1 + number % 2000, delivery=f"burst-{number}")
            answers.append((answer.status_code, time.perf_counter() - began))

        began = time.monotonic()
        with ThreadPoolExecutor(32) as pool:
            for number in range(round(seconds * 100)):
                time.sleep(max(0.0, began + number / 100 - time.monotonic()))
                pool.submit(send, number)
        taken = time.monotonic() - began
        peak = int(Path(f"/proc/{receiver.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1000
    times = sorted(found for _, found in answers)
    statuses = ", ".join(f"{number} x {status}" for status, number in Counter(one for one, _ in answers).items())
    print(f"{len(answers)} deliveries in {taken:.0f} s: {statuses}; receiver's memory at most {peak:.0f} MB")
    print(
        f"answered in: median {statistics.median(times) * 1000:.0f} ms, 99 % within"
        f" {times[int(len(times) * 0.99)] * 1000:.0f} ms"
    )


@contextlib.contextmanager
def _programs(place: Path, token: Token | None) -> Iterator[tuple[subprocess.Popen[bytes], ...]]:
    """Run receiver and, with a token, worker until the end; what they say is in files beside their configuration."""
    environment = dict(os.environ) | ({"GIT_EXCHANGE_TOKEN": token.value} if token is not None else {})
    running = []
    for name, ready in (("serve", "The receiver is on "), ("work", "Working with "))[: 2 if token is not None else 1]:
        said = place / f"{name}.log"
        with said.open("wb") as log:
            command = [*PROGRAM, name, "--config", str(place / "collector.toml")]
            running.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
        until(lambda said=said, ready=ready: ready in said.read_text(), 60)
    try:
        yield tuple(running)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def _write_config(place: Path, school: School, port: int, database: str, queue: str) -> None:
    settings = school.settings()
    _config(place, settings.url, settings.namespace, port, database, queue)


def _config(place: Path, url: str, namespace: str, port: int, database: str, queue: str) -> None:
    (place / "collector.toml").write_text(
        f"""
        url = "{url}"
        namespace = "{namespace}"
        kind = "gitlab"
        cache_dir = "cache"
        courses = ["{COURSE}"]
        [hooks]
        public_url = "http://127.0.0.1:{port}"
        keys_file = "hook-keys"
        [receiver]
        port = {port}
        [storage]
        database = "{database}"
        queue = "{queue}"
        """
    )


def _commits(folder: Path, number: int) -> tuple[WorkingCopy, list[str]]:
    """Make a student's attempts beforehand, each on top of the one before."""
    copy, commits = WorkingCopy(folder), []
    for attempt in range(number):
        (folder / "p1.ipynb").write_text(f'{{"cells": ["{folder.name} {attempt}"], "x": "{"y" * 20_000}"}}')
        copy.git("add", ".")
        copy.git("commit", "--quiet", "-m", f"Attempt {attempt}")
        commits.append(copy.git("rev-parse", "HEAD").stdout.strip())
    return copy, commits


def _staff_repository(state: Path) -> Path:
    for head in (state / "repositories").rglob("HEAD"):
        listed = subprocess.run(
            ["git", "--git-dir", str(head.parent), "ls-tree", "--name-only", "main"], capture_output=True, check=False
        )
        if b"seats.csv" in listed.stdout:
            return head.parent
    raise LookupError("no staff repository")


def _free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])


if __name__ == "__main__":
    main()
