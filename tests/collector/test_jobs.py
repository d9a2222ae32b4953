from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.collector.inbox import Inbox
from git_exchange.collector.jobs import BATCH, Batch, Jobs
from git_exchange.collector.values import Arrival

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=timezone.utc)
PS1 = "refs/heads/submit/ps1"


class Desk:
    """An inbox with a clock of its own, and two workers' views of it."""

    def __init__(self, url: str) -> None:
        self.now = NOW.timestamp()
        self.inbox = Inbox.open(url, clock=lambda: self.now)
        self.mine, self.theirs = (Jobs(self.inbox, lease_seconds=60, max_tries=3) for _ in range(2))

    def receive(self, name: str, project: int = 15, ref: str = PS1, course: str = "calculus", after: float = 0) -> None:
        received = NOW + timedelta(seconds=after)
        assert self.inbox.receive(Arrival(name, course, project, ref, name * 40, received))

    def claim(self) -> Batch:
        batch = self.mine.claim()
        assert batch is not None
        return batch

    def states(self) -> tuple[int, int, int, int]:
        counts = self.inbox.counts()
        return counts.waiting, counts.leased, counts.done, counts.dead


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    opened = Desk(database)
    yield opened
    opened.inbox.close()


def test_one_look_answers_all_that_waits_for_a_branch(desk: Desk) -> None:
    desk.receive("b", after=2)
    desk.receive("a", after=1)
    batch = desk.claim()
    (job,) = batch.jobs
    assert (job.deliveries, job.commits) == (("b", "a"), ("b" * 40, "a" * 40))
    assert desk.mine.finish(batch, job, "recorded")
    assert desk.states() == (0, 0, 2, 0)
    assert desk.mine.claim() is None


def test_what_arrives_during_the_look_is_looked_at_again(desk: Desk) -> None:
    desk.receive("a")
    batch = desk.claim()
    desk.receive("b", after=1)
    assert desk.theirs.claim() is None  # one seat never runs twice at once
    desk.mine.finish(batch, batch.jobs[0], "recorded")
    assert desk.claim().jobs[0].deliveries == ("b",)


def test_another_assignment_of_the_same_seat_waits_too(desk: Desk) -> None:
    desk.receive("a")
    desk.claim()
    desk.receive("b", ref="refs/heads/submit/ps2")
    assert desk.theirs.claim() is None


def test_a_batch_is_one_assignment_of_one_course_and_bounded(desk: Desk) -> None:
    for number in range(BATCH + 5):
        desk.receive(f"x{number}", project=number)
    desk.receive("other", project=900, ref="refs/heads/submit/ps2")
    desk.receive("elsewhere", project=901, course="algebra")
    first = desk.claim()
    assert (first.course_id, first.ref, len(first.jobs)) == ("calculus", PS1, BATCH)
    rest = [desk.claim() for _ in range(3)]
    assert sorted((batch.course_id, batch.ref, len(batch.jobs)) for batch in rest) == [
        ("algebra", PS1, 1),
        ("calculus", PS1, 5),
        ("calculus", "refs/heads/submit/ps2", 1),
    ]
    assert desk.mine.claim() is None


def test_a_lease_that_ended_is_taken_over_and_its_first_owner_finishes_nothing(desk: Desk) -> None:
    desk.receive("a")
    lost = desk.claim()
    desk.now += 61
    taken = desk.theirs.claim()
    assert taken is not None
    (job,) = taken.jobs
    assert job.tries == 1  # it may be what ended the first worker
    assert not desk.mine.finish(lost, lost.jobs[0], "recorded")
    assert not desk.mine.fail(lost, lost.jobs[0], "broken")
    desk.mine.give_back(lost)
    assert desk.states() == (0, 1, 0, 0)
    assert desk.theirs.finish(taken, job, "recorded")


def test_what_ends_its_worker_each_time_is_dead_after_some_tries(desk: Desk) -> None:
    desk.receive("a")
    for _ in range(3):
        desk.claim()
        desk.now += 61
    assert desk.mine.claim() is None
    (letter,) = desk.inbox.dead()
    assert (letter.delivery, letter.tries) == ("a", 3)
    assert "worker" in letter.reason


def test_a_failure_is_tried_again_later_and_later_and_then_dead(desk: Desk) -> None:
    desk.receive("a")
    pauses = []
    for _ in range(3):
        batch = desk.claim()
        desk.mine.fail(batch, batch.jobs[0], "broken pack")
        assert desk.mine.claim() is None
        before = desk.now
        while desk.inbox.counts().waiting and desk.inbox.counts().leased == 0:
            desk.now += 5
            if (again := desk.mine.claim()) is not None:
                desk.mine.give_back(again)
                break
        pauses.append(desk.now - before)
    assert pauses[0] < pauses[1]
    (letter,) = desk.inbox.dead()
    assert (letter.reason, letter.tries, letter.project_id) == ("broken pack", 3, 15)
    assert desk.inbox.revive(["no such"]) == 0
    assert desk.inbox.revive(["a"]) == 1
    assert desk.claim().jobs[0].tries == 0


def test_what_was_dead_is_superseded_when_newer_work_of_the_branch_is_done(desk: Desk) -> None:
    desk.receive("a")
    for _ in range(3):
        desk.claim()
        desk.now += 61
    desk.mine.claim()
    desk.receive("b", after=500)
    batch = desk.claim()
    desk.mine.finish(batch, batch.jobs[0], "recorded")
    assert desk.states() == (0, 0, 2, 0)


def test_one_poison_seat_does_not_hold_up_the_others_of_its_batch(desk: Desk) -> None:
    for number in range(4):
        desk.receive(f"x{number}", project=number)
    desk.mine.one_by_one(desk.claim())
    alone = [desk.claim() for _ in range(4)]
    assert [len(batch.jobs) for batch in alone] == [1, 1, 1, 1]
    assert all(batch.jobs[0].tries == 0 for batch in alone)
    desk.mine.fail(alone[0], alone[0].jobs[0], "poison")
    poisoned = alone[0].jobs[0].project_id
    desk.receive("new", project=poisoned)
    desk.receive("other", project=77)
    assert Counter(job.project_id for _ in range(2) for job in desk.claim().jobs) == {poisoned: 1, 77: 1}


def test_a_job_without_a_settled_time_comes_back_by_itself_and_has_not_failed(desk: Desk) -> None:
    desk.receive("a")
    batch = desk.claim()
    desk.mine.again(batch, batch.jobs[0], 2, "not settled", looked=True)
    assert desk.mine.claim() is None
    desk.now += 2
    (job,) = desk.claim().jobs
    assert (job.tries, job.looks) == (0, 1)


def test_what_is_given_back_is_as_it_was(desk: Desk) -> None:
    desk.receive("a")
    before = desk.claim()
    desk.mine.give_back(before)
    assert desk.claim().jobs == before.jobs


def test_many_workers_never_have_the_same_seat(desk: Desk) -> None:
    for number in range(60):
        desk.receive(f"x{number}", project=number % 30)
    working: Counter[int] = Counter()
    lock, twice = threading.Lock(), []

    def work(_: int) -> int:
        done = 0
        while (batch := desk.theirs.claim()) is not None:
            with lock:
                working.update(job.project_id for job in batch.jobs)
                twice.extend(project for project, number in working.items() if number > 1)
            for job in batch.jobs:
                with lock:
                    working[job.project_id] -= 1
                assert desk.theirs.finish(batch, job, "recorded")
                done += 1
        return done

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) >= 30
    assert twice == []
    assert desk.states() == (0, 0, 60, 0)


def test_what_was_done_can_be_opened_again_and_what_waits_stays(desk: Desk) -> None:
    sweep = Arrival("sweep:15", "calculus", 15, PS1, "a" * 40, NOW)
    assert desk.inbox.open_again(sweep)
    assert not desk.inbox.open_again(sweep)
    assert desk.inbox.pending("calculus") == {(15, PS1)}
    batch = desk.claim()
    desk.mine.finish(batch, batch.jobs[0], "recorded")
    assert desk.inbox.pending("calculus") == frozenset()
    assert desk.inbox.open_again(sweep)
    assert desk.claim().jobs[0].deliveries == ("sweep:15",)


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_kept(desk: Desk) -> None:
    for number in range(3):
        desk.receive(f"x{number}", project=number)
    batch = desk.claim()
    for job in batch.jobs[:2]:
        desk.mine.finish(batch, job, "recorded")
    assert desk.inbox.prune() == 0
    desk.now += 15 * 86400
    assert desk.inbox.prune() == 2
    assert desk.inbox.counts().received == 1


def test_of_very_many_that_ended_the_oldest_are_forgotten(desk: Desk) -> None:
    for number in range(5):
        desk.receive(f"x{number}", project=number)
        batch = desk.claim()
        desk.mine.finish(batch, batch.jobs[0], "recorded")
        desk.now += 1
    assert desk.inbox.prune(rows=2) == 3
    assert desk.inbox.counts().done == 2


def test_an_attempt_is_told_of_once(desk: Desk) -> None:
    for _ in range(2):
        desk.mine.tell("calculus", 15, PS1, "a" * 40)
    assert desk.mine.told(15, PS1, ["a" * 40, "b" * 40]) == {"a" * 40}
    assert desk.inbox.counts("calculus").recorded == 1
