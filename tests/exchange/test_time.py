"""No student can choose the time of their own submission: each trick played with plain git, and nbgrader's collect.

| trick | what has to come of it | tested |
|---|---|---|
| a commit with a date of long ago | the time of the push | here: backdated |
| a commit with a date to come | the time of the push | here: postdated |
| pushed early to another branch, late to the right one | late | here: elsewhere |
| pushed early as a tag | refused; late | here: tagger |
| pushed early to another project | late | here: crosser |
| four branches at once early, and again late (GitLab: one event without names) | late | here: bulk |
| work of early merged in late as a first parent | late; the attempt before it stays one | here: merger |
| the same files again after the due date | the first time | here: again |
| a forced push, a deleted branch | refused, nothing changes | here: forcer |
| pushed by somebody else | named | here: helped |
| activity hidden (Gitea) | late, once a collection after the due date had found nothing | here: hidden |
| no event at all: never written, deleted, or late | see there | tests/hostile/test_time.py |
| announced by a webhook before the push | late | tests/collector/test_worker.py |
| a wrong clock here, on the student's or the collector's machine | see there | tests/hostile/test_time.py |
| undecided, grace, pins; two collectors at once | see there | tests/unit/operations/test_collect.py |
| intervals, order of attempts, runs of equal work | see there | tests/unit/rules |
| what counts as an event of exactly this branch | see there | tests/contract/test_evidence.py |

Between early and late lie the due date and one collection, as in any course that collects soon after it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from git_exchange.course.course import Course
from git_exchange.course.receipts import read_ledger
from git_exchange.forge.connect import connect
from git_exchange.rules import times
from git_exchange.rules.receipt import Receipt
from tests.contract.working_copy import Pushed, WorkingCopy
from tests.exchange.classroom import COURSE, Classroom
from tests.exchange.conftest import Server
from tests.exchange.zygote import Zygote
from tests.hostile.plumbing import WHO, Bare

SUBMIT = "refs/heads/submit/ps1"
STUDENTS = (
    "backdated",
    "postdated",
    "elsewhere",
    "tagger",
    "crosser",
    "bulk",
    "merger",
    "again",
    "forcer",
    "helped",
    "hidden",
)
LATE = {"backdated", "elsewhere", "tagger", "crosser", "bulk", "merger", "hidden"}
DATED_2000 = b"M <m@example.invalid> 946684800 +0000"
DATED_2099 = b"M <m@example.invalid> 4070908800 +0000"


@dataclass
class Term:
    """A course over which the due date has passed, and what happened in it."""

    classroom: Classroom
    due: datetime = field(init=False)
    pushed: dict[str, Pushed] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    in_time: dict[str, str] = field(default_factory=dict)
    output: str = ""
    bares: dict[str, Bare] = field(default_factory=dict)
    early: dict[str, str] = field(default_factory=dict)

    def bare(self, student: str) -> Bare:
        if student not in self.bares:
            self.bares[student] = Bare(self.classroom.place / "git" / student)
            self.copy = WorkingCopy(self.classroom.place / "copy" / student)
        return self.bares[student]

    def commit(self, student: str, text: str, *parents: str, dated: bytes = WHO) -> str:
        bare = self.bare(student)
        tree = bare.tree(bare.file(b"p1.txt", text.encode()))
        # The message makes it another commit than one with the same files.
        return bare.commit(tree, *parents, author=dated, committer=dated, message=f"{len(parents)}\n".encode())

    def push(self, student: str, *refspecs: str, by: str = "", course: str = COURSE) -> Pushed:
        url = self.classroom.forge().git_url(self.classroom.seat(student, course))
        self.bare(student)
        done = self.copy.git(
            *("--git-dir", str(self.bares[student].folder), "push", url, *refspecs),
            token=self.classroom.tokens[by or student],
            check=False,
        )
        return Pushed(done.returncode == 0, done.stdout)

    def accepted(self, student: str, *refspecs: str, by: str = "", course: str = COURSE) -> None:
        pushed = self.push(student, *refspecs, by=by, course=course)
        assert pushed.accepted, pushed.output

    def receipts(self, student: str) -> list[Receipt]:
        settings, token = self.classroom.settings("cache-of-the-test"), self.classroom.tokens["teacher"]
        course = Course(settings, COURSE, connect(settings, token), token)
        return list(read_ledger(course, "ps1").of(self.classroom.seat(student).id, SUBMIT))

    def collect(self, *options: str) -> str:
        return self.classroom.ok("teacher", "collect", "ps1", "--update", *options)

    def work(self, student: str) -> str:
        return (self.classroom.submitted(student) / "p1.txt").read_text()


def play_early(term: Term) -> None:
    for student in ("elsewhere", "merger", "again", "forcer"):
        term.early[student] = term.commit(student, "in time")
        term.accepted(student, f"{term.early[student]}:{SUBMIT}")
    term.accepted("postdated", f"{term.commit('postdated', 'dated 2099', dated=DATED_2099)}:{SUBMIT}")
    work = term.commit("elsewhere", "late", term.early["elsewhere"])
    term.accepted("elsewhere", f"{work}:refs/heads/submit/other")
    work = term.commit("tagger", "late")
    term.pushed["tagger"] = term.push("tagger", f"{work}:refs/tags/submit/ps1")
    term.accepted("crosser", f"{term.commit('crosser', 'late')}:{SUBMIT}", course="other")
    work = term.commit("bulk", "late")
    term.accepted("bulk", *(f"{work}:refs/heads/submit/{name}" for name in "abcd"))
    term.accepted("merger", f"{term.commit('merger', 'merged')}:refs/heads/submit/other")
    term.accepted("helped", f"{term.commit('helped', 'not mine')}:{SUBMIT}", by="teacher")


def play_late(term: Term) -> None:
    term.accepted("backdated", f"{term.commit('backdated', 'late', dated=DATED_2000)}:{SUBMIT}")
    term.accepted("elsewhere", f"{term.commit('elsewhere', 'late', term.early['elsewhere'])}:{SUBMIT}")
    term.accepted("tagger", f"{term.commit('tagger', 'late')}:{SUBMIT}")
    term.accepted("crosser", f"{term.commit('crosser', 'late')}:{SUBMIT}")
    work = term.commit("bulk", "late")
    term.accepted("bulk", f"{work}:{SUBMIT}", *(f"{work}:refs/heads/submit/{name}" for name in "efg"))
    merge = term.commit("merger", "late", term.commit("merger", "merged"), term.early["merger"])
    term.accepted("merger", f"{merge}:{SUBMIT}")
    term.accepted("again", f"{term.commit('again', 'in time', term.early['again'])}:{SUBMIT}")
    other = term.commit("forcer", "rewritten")
    term.pushed["forced"] = term.push("forcer", f"+{other}:{SUBMIT}")
    term.pushed["deleted"] = term.push("forcer", f":{SUBMIT}")
    term.accepted("hidden", f"{term.commit('hidden', 'late')}:{SUBMIT}")


def hide(classroom: Classroom, student: str) -> None:
    username = classroom.people[student].username
    requests.patch(
        f"{classroom.url}/api/v1/user/settings?sudo={username}",
        json={"hide_activity": True},
        headers={"Authorization": f"token {classroom.admin.value}"},
        timeout=60,
    ).raise_for_status()


def wait_for(classroom: Classroom, moment: datetime) -> None:
    """Wait until it is later than that by the forge's clock."""
    limit = time.monotonic() + 60
    while (now := classroom.forge().server().date) <= moment:
        assert time.monotonic() < limit
        time.sleep(min(1.0, max(0.05, (moment - now).total_seconds())))


@pytest.fixture(scope="module")
def term(server: Server, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Term:
    place: Path = tmp_path_factory.mktemp("term")
    classroom = Classroom(server.url, server.admin, place, zygote, kind=server.kind)
    classroom.open(*STUDENTS)
    classroom.open("crosser", course="other")
    classroom.release()
    if classroom.kind == "gitea":
        hide(classroom, "hidden")
    term = Term(classroom)
    play_early(term)
    # Half a minute is what pushing takes where the machine is slow; whole seconds are what some forges record.
    term.due = classroom.forge().server().date + timedelta(seconds=2)
    classroom.set_due(term.due)
    wait_for(classroom, term.due + timedelta(seconds=6))
    term.output = term.collect()
    play_late(term)
    term.output += term.collect()
    term.stamps = {student: (classroom.submitted(student) / "timestamp.txt").read_text() for student in STUDENTS}
    term.texts = {student: term.work(student) for student in STUDENTS}
    term.output += term.collect("--before-duedate")
    term.in_time = {student: term.work(student) for student in STUDENTS}
    return term


@pytest.mark.parametrize("student", STUDENTS)
def test_the_time_is_that_of_the_push_to_this_branch(term: Term, student: str) -> None:
    at = times.parse_timestamp(term.stamps[student])
    assert (at > term.due) == (student in LATE)
    assert abs(at - term.due) < timedelta(minutes=10)  # nobody's date of 2000 or 2099
    (receipt,) = [receipt for receipt in term.receipts(student) if receipt.kind != "removed"][-1:]
    assert receipt.ref == SUBMIT
    undecided = [line for line in term.output.splitlines() if "may have arrived" in line]
    assert undecided == []


@pytest.mark.parametrize("student", sorted(LATE))
def test_late_work_is_collected_as_late(term: Term, student: str) -> None:
    assert term.texts[student] == "late"


@pytest.mark.parametrize("student", ["elsewhere", "merger"])
def test_the_attempt_in_time_stays_the_one_before_the_due_date(term: Term, student: str) -> None:
    assert term.in_time[student] == "in time"
    assert {receipt.commit for receipt in term.receipts(student) if receipt.kind == "pin"} >= {term.early[student]}


def test_what_was_merged_in_is_no_attempt(term: Term) -> None:
    merged = term.commit("merger", "merged")
    assert merged not in {receipt.commit for receipt in term.receipts("merger")}


def test_the_same_files_again_are_recorded_and_keep_the_first_time(term: Term) -> None:
    pins = [receipt for receipt in term.receipts("again") if receipt.kind == "pin"]
    assert len({receipt.commit for receipt in pins}) == 2
    assert times.parse_timestamp(term.stamps["again"]) == pins[0].time < term.due < pins[1].time


def test_nothing_is_rewritten_deleted_or_tagged(term: Term) -> None:
    for name in ("tagger", "forced", "deleted"):
        assert not term.pushed[name].accepted, term.pushed[name].output
    assert term.texts["forcer"] == "in time"
    assert [receipt.commit for receipt in term.receipts("forcer")] == [term.early["forcer"]]


def test_who_pushed_for_another_is_named(term: Term) -> None:
    username = term.classroom.people["teacher"].username
    assert f"helped's attempt 1 was submitted by the staff member {username} for helped" in term.output
    assert {receipt.pushed_by for receipt in term.receipts("helped")} == {username}


def test_a_push_without_a_record_of_its_own_is_known_by_our_reading(term: Term) -> None:
    gitea = term.classroom.kind == "gitea"
    evidence = {name: term.receipts(name)[-1].evidence for name in ("bulk", "hidden", "backdated")}
    assert evidence["backdated"] == "push-event"
    # GitLab hides nobody's pushes from the staff; Gitea tells each branch of a push.
    assert evidence["hidden"] == ("first-seen" if gitea else "push-event")
    assert evidence["bulk"] == ("push-event" if gitea else "first-seen")
