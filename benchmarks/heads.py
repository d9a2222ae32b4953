"""How many requests, and how long, to know who of a course has submitted: one listing against one by one."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.seats import seats
from git_exchange.devserver import RunningServer
from git_exchange.forge.gitlab import session
from git_exchange.forge.ports import Visibility
from git_exchange.rules import layout
from git_exchange.secret import Token
from tests.exchange.classroom import COURSE, Classroom
from tests.exchange.zygote import Zygote


def main(students: int) -> None:
    """Print requests and seconds for a course of ``students``."""
    requests = 0
    original = session.Session.answer

    def counting(*arguments: object, **options: object) -> session.Answer:
        nonlocal requests
        requests += 1
        return original(*arguments, **options)  # type: ignore[arg-type]  # passed on as it came

    session.Session.answer = counting  # type: ignore[method-assign,assignment]  # counts what the adapter asks
    with tempfile.TemporaryDirectory() as place, RunningServer(Path(place) / "server") as server, Zygote() as zygote:
        classroom = Classroom(server.url, Token(server.admin_token), Path(place), zygote)
        classroom.open()
        forge = classroom.forge()
        course = Course(classroom.settings(), COURSE, forge, classroom.tokens["teacher"])
        group = course.group()
        for number in range(students):
            name = f"s{number:04}"
            forge.ensure_project(
                group,
                layout.seat_name(name),
                description=layout.describe_seat(name),
                visibility=Visibility.PRIVATE,
                issues=True,
            )
        everybody = seats(course)
        ref = layout.submit_ref("ps1")
        for name, read in (
            ("one listing", lambda: forge.heads(group, [seat.project for seat in everybody], [ref])),
            ("one by one", lambda: [forge.branches(seat.project.id, "submit/ps1") for seat in everybody]),
        ):
            requests, started = 0, time.perf_counter()
            read()
            print(
                f"{name:14}{requests:6} requests {time.perf_counter() - started:8.2f} s   ({len(everybody)} students)"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
