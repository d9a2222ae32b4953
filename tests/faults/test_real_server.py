"""A real Gitea or Forgejo behind the line: a student submits with nbgrader, the forge fails or is killed, and again.

Whatever happens, success is told only if the forge has the work, and submitting again leaves one attempt more, not two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from git_exchange.rules import trailers
from git_exchange.secret import Token
from tests import realforge
from tests.exchange.classroom import Classroom
from tests.exchange.zygote import Zygote
from tests.faults import line as faults
from tests.faults.deadly_line import DeadlyLine
from tests.faults.line import Fault


@dataclass
class Exam:
    """A course whose only way to the forge is the line."""

    room: Classroom
    line: DeadlyLine
    turn: int = 0

    def write(self) -> None:
        """Save other work than before."""
        self.turn += 1
        (self.room.student("ann").work / "ps1" / "answer.txt").write_text(f"answer {self.turn}\n")

    def attempts(self) -> int:
        """Return the number of the newest attempt on the forge, 0 without one."""
        branches = self.room.forge().branches(self.room.seat("ann").id, "submit/")
        return max((int(trailers.parse(branch.message).first(trailers.ATTEMPT) or 0) for branch in branches), default=0)

    def check_again(self, before: int, said: int) -> None:
        """Submit again without the fault unless the first try said that it arrived: one attempt more than before."""
        if said != 0:
            assert "Submitted as" in self.room.ok("ann", "submit", "ps1")
        assert self.attempts() == before + 1


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exam]:
    binary = realforge.binary()
    assert binary is not None
    place = tmp_path_factory.mktemp("real")
    with realforge.started(binary, place / "forge", immediate=True) as forge, Zygote() as zygote:
        assert forge.process is not None
        with DeadlyLine(forge.url, forge.process) as line:
            room = Classroom(line.url, Token(forge.token), place / "room", zygote, kind="gitea")
            room.open("ann", "ben")
            room.release()
            room.ok("ann", "fetch_assignment", "ps1")
            yield Exam(room, line)


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        (faults.REFUSED, 1),
        (faults.CUT, 3),
        (faults.SIGN_IN_PAGE, 2),
        *((fault, 2) for fault in faults.STATUSES if fault.status in (401, 429, 503)),
        (Fault("push cut in the middle", "half", only="/git-receive-pack"), 1),
        (Fault("answer to the push lost", "lost", only="/git-receive-pack"), 1),
        (faults.SHORT_PACK, 1),
        (faults.redirect_to("http://127.0.0.1:1"), 2),
    ],
    ids=str,
)
def test_a_submission_that_met_a_fault_is_finished_by_submitting_again(exam: Exam, fault: Fault, at: int) -> None:
    exam.write()
    before = exam.attempts()
    with exam.line.faulty(fault, at):
        first = exam.room.nbgrader("ann", "submit", "ps1")
    assert exam.line.struck or fault is faults.SHORT_PACK, "the fault met no request"
    assert exam.room.tokens["ann"].value not in first.output
    assert "Traceback" not in first.output
    exam.check_again(before, first.status)


@pytest.mark.parametrize("moment", ["in the middle", "when it has arrived"])
def test_a_submission_on_which_the_server_was_killed_is_finished_by_submitting_again(exam: Exam, moment: str) -> None:
    exam.write()
    before = exam.attempts()
    exam.line.moment, exam.line.died = moment, False
    first = exam.room.nbgrader("ann", "submit", "ps1")
    assert exam.line.died
    assert first.status == 1, "success was told by a server that was dead"
    exam.line.revive()
    exam.check_again(before, first.status)


def test_a_collection_during_which_the_forge_fails_is_finished_by_collecting_again(exam: Exam) -> None:
    exam.room.ok("ben", "fetch_assignment", "ps1")
    exam.room.ok("ben", "submit", "ps1")
    with exam.line.faulty(faults.STATUSES[-1], 12):
        first = exam.room.nbgrader("teacher", "collect", "ps1")
    assert first.status == 1, first.output
    output = exam.room.ok("teacher", "collect", "ps1")
    assert "failed" not in output
    for student in ("ann", "ben"):
        assert (exam.room.submitted(student) / "timestamp.txt").is_file()
