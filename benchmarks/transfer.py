"""What a submission costs: a notebook of 4 MB of which three cells changed, through a proxy that counts bytes."""

from __future__ import annotations

import base64
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.seats import my_seat
from git_exchange.devserver import RunningServer
from git_exchange.files.selection import SelectionRules
from git_exchange.forge.connect import connect
from git_exchange.operations.release import release
from git_exchange.operations.submit import prepare, submit
from git_exchange.secret import Token
from tests.exchange.classroom import COURSE, Classroom, write_notebook
from tests.exchange.proxy import CuttingProxy
from tests.exchange.zygote import Zygote

RULES = SelectionRules(ignore=(), include=("*",), max_file_size=100_000_000, max_total_size=100_000_000)
CELLS = 60


def write(path: Path, answers: int) -> None:
    """Write a notebook of about 4 MB in which ``answers`` cells differ from the released one."""
    noise = random.Random(1)
    sources = [f"# cell {n}\n" + base64.b64encode(noise.randbytes(50_000)).decode() for n in range(CELLS)]
    for number in range(answers):
        sources[number * 7] += f"\n# answer {time.monotonic_ns()}"
    write_notebook(path, *sources)


def main() -> None:
    """Print bytes and seconds of the first submission, of a second one, and of one from a machine without a cache."""
    with tempfile.TemporaryDirectory() as place, RunningServer(Path(place) / "server") as server, Zygote() as zygote:
        classroom = Classroom(server.url, Token(server.admin_token), Path(place), zygote)
        classroom.open("ann")
        released = classroom.make_release()
        write(released / "p1.ipynb", 0)
        release(
            Course(classroom.settings(), COURSE, classroom.forge(), classroom.tokens["teacher"]), "ps1", released, RULES
        )
        work = classroom.student("ann").work / "ps1"
        work.mkdir()
        size = (released / "p1.ipynb").stat().st_size
        print(f"notebook: {size:,} bytes")
        print(f"{'':24}{'sent':>12}{'received':>12}{'of notebook':>13}{'seconds':>9}")
        with CuttingProxy(server.url) as proxy:
            for name, cache in (("first submission", "one"), ("second submission", "one"), ("without a cache", "two")):
                write(work / "p1.ipynb", 3)
                sent, received = proxy.uploaded, proxy.downloaded
                settings = replace(classroom.settings(cache), url=proxy.url)
                token = classroom.tokens["ann"]
                course = Course(settings, COURSE, connect(settings, token), token)
                started = time.perf_counter()
                submit(course, prepare(course, my_seat(course), "ps1", work, RULES))
                seconds = time.perf_counter() - started
                sent, received = proxy.uploaded - sent, proxy.downloaded - received
                share = (sent + received) / size
                print(f"{name:24}{sent:12,}{received:12,}{share:12.1%} {seconds:8.2f}")


if __name__ == "__main__":
    main()
