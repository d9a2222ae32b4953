"""Attempts: which pushes count and when they arrived, whatever commits claim."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.attempt import Attempt, Commit, Evidence, attempts
from git_exchange.rules.deadline import verdict
from git_exchange.rules.receipt import Receipt

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
TICK = timedelta(microseconds=1)
REF = "refs/heads/submit/ps1"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def line(*names: str, trees: str = "") -> list[Commit]:
    """A straight history; ``trees`` gives one letter per commit, else every tree is its own."""
    return [
        Commit(name, f"tree-{trees[index] if trees else name}", (names[index - 1] if index else "release",))
        for index, name in enumerate(names)
    ]


def event(commit: str, minutes: float, number: int = 1, by: str = "alice") -> Evidence:
    return Evidence(commit, at(minutes), "push-event", by, number)


def read(commit: str, minutes: float) -> Evidence:
    return Evidence(commit, at(minutes), "read", "", None)


def seen(commit: str, minutes: float) -> Evidence:
    return Evidence(commit, at(minutes), "seen", "", None)


def pin(commit: str, minutes: float, evidence: str = "push-event") -> Receipt:
    return Receipt("pin", 7, "alice", REF, commit, "f" * 40, at(minutes), evidence, 11, "alice", at(minutes), "teacher")


def find(
    history: Sequence[Commit],
    evidence: Sequence[Evidence],
    pins: Sequence[Receipt] = (),
    *,
    head: str | None = None,
    removed: frozenset[str] = frozenset(),
    now: float = 60,
    identical: str = "own-time",
    last_other_read: Mapping[str, datetime] | None = None,
) -> tuple[Attempt, ...]:
    return attempts(
        history,
        head if head is not None else history[-1].oid,
        evidence,
        {item.commit: item for item in pins},
        removed,
        now=at(now),
        grace_seconds=300,
        settle_seconds=600,
        identical=identical,
        last_other_read=last_other_read or {},
    )


def test_a_push_event_gives_time_pusher_and_number() -> None:
    (found,) = find(line("a"), [event("a", 5, number=33, by="alice")])
    assert found == Attempt(1, "a", "tree-a", at(5), at(5), at(0), True, False, "push-event", "alice", 33)


def test_commits_that_were_never_the_head_are_no_attempts() -> None:
    found = find(line("a", "b", "c"), [event("c", 5)])
    assert [attempt.commit for attempt in found] == ["c"]
    assert found[0].number == 1


def test_a_head_without_any_evidence_is_no_attempt() -> None:
    assert find(line("a"), []) == ()


def test_a_branch_that_holds_only_the_release_has_no_attempts() -> None:
    assert find([], [read("release", 1)], head="release") == ()


def test_evidence_for_commits_outside_of_the_history_is_ignored() -> None:
    found = find(line("a"), [event("a", 5), event("rewritten", 1)], [pin("foreign", 0)])
    assert [(attempt.commit, attempt.time) for attempt in found] == [("a", at(5))]


def test_what_cannot_be_reached_from_the_head_is_ignored() -> None:
    history = [*line("a"), Commit("side", "tree-side", ("release",))]
    assert [attempt.commit for attempt in find(history, [event("a", 5), event("side", 1)], head="a")] == ["a"]
    assert find(history, [event("a", 5)], head="elsewhere") == ()


def test_the_earliest_evidence_counts() -> None:
    (found,) = find(line("a"), [read("a", 30), event("a", 6), seen("a", 4)])
    assert (found.time, found.source) == (at(4), "seen")
    assert (found.pushed_by, found.event_id, found.settled) == ("alice", 1, True)


def test_an_earlier_attempt_was_pushed_before_a_later_one() -> None:
    first, second = find(line("a", "b"), [read("a", 20), event("b", 10)])
    assert second.time == at(10)
    assert first.time == at(10) - TICK


def test_the_bound_of_a_later_pin_holds_for_what_came_before() -> None:
    first, second = find(line("a", "b"), [event("a", 20)], [pin("b", 10)])
    assert (first.time, second.time) == (at(10) - TICK, at(10))


def test_a_pin_never_moves_and_what_comes_after_it_gives_way() -> None:
    first, second, third = find(line("a", "b", "c"), [event("b", 5), event("c", 5)], [pin("a", 10)])
    assert first.time == at(10)
    assert second.time == at(10) + TICK
    assert third.time == at(10) + 2 * TICK


def test_even_pins_that_contradict_each_other_stay() -> None:
    first, second = find(line("a", "b"), [], [pin("a", 10), pin("b", 5)])
    assert [(attempt.commit, attempt.time) for attempt in (first, second)] == [("a", at(10)), ("b", at(5))]


def test_attempts_at_the_same_microsecond_are_told_apart_and_ordered() -> None:
    times = [attempt.time for attempt in find(line("a", "b", "c"), [event("a", 5), event("b", 5), event("c", 5)])]
    assert times == [at(5) - 2 * TICK, at(5) - TICK, at(5)]


def test_merging_earlier_work_in_changes_nothing() -> None:
    # The student pushes "late" and then a merge whose first parent is a commit that was made, but never pushed, early.
    history = [
        Commit("early", "tree-e", ("release",)),
        Commit("late", "tree-l", ("release",)),
        Commit("merge", "tree-m", ("early", "late")),
    ]
    found = find(history, [event("late", 10), event("merge", 20)])
    assert [(attempt.commit, attempt.time) for attempt in found] == [("late", at(10)), ("merge", at(20))]


def test_after_a_rewrite_an_unrelated_commit_does_not_make_another_one_earlier() -> None:
    history = [
        Commit("a", "tree-a", ("release",)),
        Commit("b", "tree-b", ("release",)),
        Commit("merge", "tree-m", ("a", "b")),
    ]
    found = find(history, [event("a", 10), event("b", 1), event("merge", 20)])
    assert [(attempt.commit, attempt.time) for attempt in found] == [("b", at(1)), ("a", at(10)), ("merge", at(20))]


@pytest.mark.parametrize(("now", "settled"), [(9, False), (9.99, False), (10, True), (60, True)])
def test_what_was_only_seen_is_settled_after_the_time_for_it(now: float, settled: bool) -> None:
    (found,) = find(line("a"), [seen("a", 0), read("a", now)], now=now)
    assert found.settled is settled
    assert not found.pinned


def test_a_push_event_settles_at_once() -> None:
    (found,) = find(line("a"), [event("a", 0), read("a", 0)], now=0)
    assert found.settled


def test_a_pin_is_settled_and_is_the_time_not_a_bound() -> None:
    (found,) = find(line("a"), [event("a", 2)], [pin("a", 3, "first-seen")], now=3)
    assert (found.time, found.not_before, found.settled, found.pinned, found.source) == (
        at(3),
        at(3),
        True,
        True,
        "seen",
    )
    assert verdict(found, at(2.5)) == "late"
    (amended,) = find(line("a"), [], [pin("a", 3, "staff")])
    assert amended.source == "staff"


def test_the_interval_starts_at_the_last_look_that_did_not_show_it() -> None:
    (found,) = find(line("a"), [read("a", 20)], last_other_read={"a": at(8)})
    assert (found.not_before, found.time) == (at(8), at(20))


def test_an_event_was_written_at_most_the_grace_after_the_push() -> None:
    (alone,) = find(line("a"), [event("a", 20)])
    assert alone.not_before == at(15)
    (both,) = find(line("a"), [event("a", 20)], last_other_read={"a": at(18)})
    assert both.not_before == at(18)


def test_without_a_look_or_an_event_nothing_is_known_about_the_start() -> None:
    (found,) = find(line("a"), [read("a", 20)])
    assert found.not_before is None


def test_unchanged_work_keeps_the_time_of_its_first_attempt() -> None:
    evidence = [event("a", 1), event("b", 2), event("c", 3), event("d", 4)]
    found = find(line("a", "b", "c", "d", trees="xxyx"), evidence, identical="first-time")
    assert [attempt.time for attempt in found] == [at(1), at(1), at(3), at(4)]
    assert [attempt.pushed_at for attempt in found] == [at(1), at(2), at(3), at(4)]
    assert found[1].not_before == found[0].not_before
    own = find(line("a", "b", "c", "d", trees="xxyx"), evidence, identical="own-time")
    assert [attempt.time for attempt in own] == [at(1), at(2), at(3), at(4)]


def test_unchanged_work_keeps_its_first_time_also_when_pinned() -> None:
    found = find(line("a", "b", trees="xx"), [], [pin("a", 1), pin("b", 9)], identical="first-time")
    assert [attempt.time for attempt in found] == [at(1), at(1)]
    assert [attempt.pushed_at for attempt in found] == [at(1), at(9)]


def test_removed_attempts_are_left_out_and_keep_their_numbers() -> None:
    found = find(line("a", "b", "c"), [event("a", 1), event("b", 2), event("c", 3)], removed=frozenset({"b"}))
    assert [(attempt.number, attempt.commit) for attempt in found] == [(1, "a"), (3, "c")]


def test_a_removed_attempt_does_not_lend_its_time() -> None:
    evidence = [event("a", 1), event("b", 2), event("c", 3)]
    found = find(line("a", "b", "c", trees="xxx"), evidence, removed=frozenset({"a"}), identical="first-time")
    assert [(attempt.number, attempt.time) for attempt in found] == [(2, at(2)), (3, at(2))]


def test_a_push_by_somebody_else_is_told() -> None:
    (found,) = find(line("a"), [event("a", 1, by="mallory"), Evidence("a", at(0), "seen", "", None)])
    assert found.pushed_by == "mallory"


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Commit], list[Evidence], list[Receipt]]:
    """A history with merges, in which every attempt is an ancestor of the next, as without rewrites."""
    count = draw(st.integers(1, 8))
    history: list[Commit] = []
    for index in range(count):
        others = draw(st.lists(st.integers(0, index - 1), max_size=2, unique=True)) if index else []
        parents = (f"c{index - 1}" if index else "release", *(f"c{other}" for other in others if other != index - 1))
        history.append(Commit(f"c{index}", f"t{draw(st.integers(0, 2))}", tuple(draw(st.permutations(parents)))))
    names = st.sampled_from([commit.oid for commit in history] + ["foreign"])
    minutes = st.integers(-30, 30)
    make = {"push-event": event, "read": read, "seen": seen}
    evidence = [
        make[source](name, minute)
        for name, minute, source in draw(
            st.lists(st.tuples(names, minutes, st.sampled_from(sorted(make))), max_size=12)
        )
    ]
    pins = {name: pin(name, minute) for name, minute in draw(st.lists(st.tuples(names, minutes), max_size=3))}
    return history, evidence, list(pins.values())


@given(histories())
def test_whatever_is_known_the_attempts_are_in_order_and_within_their_evidence(
    given_: tuple[list[Commit], list[Evidence], list[Receipt]],
) -> None:
    history, evidence, pins = given_
    pinned = {item.commit: item for item in pins}
    found = find(history, evidence, pins)
    known = {item.commit for item in evidence} | pinned.keys()
    assert [attempt.commit for attempt in found] == [commit.oid for commit in history if commit.oid in known]
    assert [attempt.number for attempt in found] == list(range(1, len(found) + 1))
    latest = None
    for attempt in found:
        if attempt.commit in pinned:
            assert attempt.pushed_at == pinned[attempt.commit].time
        elif latest is not None:
            assert attempt.pushed_at > latest
        latest = attempt.pushed_at if latest is None else max(latest, attempt.pushed_at)
    if not pins:
        for attempt in found:
            assert attempt.pushed_at <= min(item.at for item in evidence if item.commit == attempt.commit)


@given(histories())
def test_later_knowledge_never_makes_an_attempt_later(
    given_: tuple[list[Commit], list[Evidence], list[Receipt]],
) -> None:
    history, evidence, _ = given_
    fewer = {attempt.commit: attempt.pushed_at for attempt in find(history, evidence[:-1])}
    more = {attempt.commit: attempt.pushed_at for attempt in find(history, evidence)}
    assert all(more[commit] <= moment for commit, moment in fewer.items())


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_evidence_is_found_does_not_matter(
    given_: tuple[list[Commit], list[Evidence], list[Receipt]], random: object
) -> None:
    history, evidence, pins = given_
    shuffled = list(evidence)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = find(history, evidence, pins), find(history, shuffled, pins)
    assert [(a.commit, a.time, a.not_before, a.settled) for a in one] == [
        (a.commit, a.time, a.not_before, a.settled) for a in other
    ]


@given(histories(), st.integers(-40, 40))
def test_with_first_time_resubmitting_never_makes_unchanged_work_late(
    given_: tuple[list[Commit], list[Evidence], list[Receipt]], due: int
) -> None:
    history, evidence, pins = given_
    found = find(history, evidence, pins, identical="first-time")
    for before, after in itertools.pairwise(found):
        if before.tree == after.tree:
            assert verdict(after, at(due)) == verdict(before, at(due))


def test_thousands_of_attempts_are_no_trouble() -> None:
    names = [f"c{index}" for index in range(5_000)]
    found = find(line(*names), [event(name, 0) for name in names])
    assert len(found) == 5_000
    assert found[0].time == at(0) - 4_999 * TICK
