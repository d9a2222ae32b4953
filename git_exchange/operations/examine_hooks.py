"""What ``doctor`` says of a course's webhooks: by the record for all, and on the forge for a bounded number of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.course.hooks import RecordedHook, read_hooks
from git_exchange.course.seats import Seat
from git_exchange.errors import Forbidden, NotFound
from git_exchange.files.paths import display
from git_exchange.forge.connect import hooks_by
from git_exchange.forge.ports import Delivery
from git_exchange.operations.hook_state import HookSetup, due, fault, seats_in_use

# So many are looked at on the forge, with two requests each.
LOOKED_AT = 20
_APPLY = "Apply the roster again with --webhook-url and --webhook-keys."
_VERIFY = "See that the collector answers, then apply the roster again with --webhook-url, --webhook-keys and --verify."


@dataclass(frozen=True)
class Finding:
    """One thing about the webhooks. ``state`` is "ok", "warning" or "failed"; ``hint`` says what to do."""

    state: str
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class _Looked:
    """What one seat's hook is like: ``wrong`` is a reason or "", ``last`` the newest delivery on the forge's record."""

    student_id: str
    wrong: str
    last: Delivery | None


def examine_hooks(course: Course, setup: HookSetup | None) -> Iterator[Finding]:
    """Yield what there is to say; nothing for a course without webhooks where none are configured.

    Raise NotStaff, CourseNotFound.
    """
    recorded = read_hooks(course)
    if not recorded and setup is None:
        return
    wanted = seats_in_use(course)
    yield from _by_record(course.course_id, wanted, recorded, setup)
    known = [seat for seat in wanted if seat.project.id in recorded]
    if not known:
        return
    some = spread(known, LOOKED_AT)
    try:
        looked = course.in_parallel(lambda seat: _look(course, seat, recorded[seat.project.id]), some)
    except Forbidden:
        yield Finding("warning", "This account may not look at them on the forge.", "An instructor's doctor does.")
        return
    yield from _on_forge(looked, len(known))
    if hooks_by(course.forge).keeps_deliveries:
        yield from _deliveries(looked)
    else:
        yield Finding(
            "ok",
            "The forge keeps its record of deliveries on its own pages (a project's settings, Webhooks).",
            "git-exchange collector status tells when the last one arrived.",
        )


def spread(seats: Sequence[Seat], number: int) -> list[Seat]:
    """Return at most ``number`` of the seats, evenly from the whole list. Pure."""
    if len(seats) <= number:
        return list(seats)
    return [seats[place * len(seats) // number] for place in range(number)]


def _by_record(
    course_id: str, wanted: Sequence[Seat], recorded: Mapping[int, RecordedHook], setup: HookSetup | None
) -> Iterator[Finding]:
    without = [seat.student_id for seat in wanted if seat.project.id not in recorded]
    have = f"{len(wanted) - len(without)} of {len(wanted)} students' projects have one on record"
    if without:
        yield Finding(
            "warning", f"{have}; none: {_names(without)}.", f"{_APPLY} Until then the sweep finds their work."
        )
    else:
        yield Finding("ok", f"{have}.")
    keys = {recorded[seat.project.id].key for seat in wanted if seat.project.id in recorded}
    old = [
        (seat.student_id, why)
        for seat in wanted
        if setup is not None
        and (known := recorded.get(seat.project.id)) is not None
        and (why := due(setup, course_id, seat.project.id, known))
    ]
    if old:
        yield Finding("warning", f"{len(old)} are not up to date: {_reasons(old)}.", _APPLY)
    elif len(keys) > 1:
        yield Finding("warning", f"They have {len(keys)} different keys: {', '.join(sorted(keys))}.", _APPLY)


def _look(course: Course, seat: Seat, recorded: RecordedHook) -> _Looked:
    forge = hooks_by(course.forge)
    try:
        wrong = fault(forge.hooks(seat.project.id), recorded)
    except NotFound:
        return _Looked(seat.student_id, "the project cannot be seen", None)
    try:
        sent = forge.deliveries(seat.project.id, recorded.hook_id)
    except NotFound:  # the hook is gone, or the server is too old to tell
        sent = []
    return _Looked(seat.student_id, wrong, sent[0] if sent else None)


def _on_forge(looked: Sequence[_Looked], number: int) -> Iterator[Finding]:
    wrong = [(one.student_id, one.wrong) for one in looked if one.wrong]
    extent = f"of {len(looked)} looked at (of {number})" if number > len(looked) else f"of all {number}"
    if wrong:
        yield Finding("failed", f"{len(wrong)} {extent} are not as they should be: {_reasons(wrong)}.", _VERIFY)
    else:
        yield Finding("ok", f"set up and active on the forge, {extent}")


def _deliveries(looked: Sequence[_Looked]) -> Iterator[Finding]:
    last = [(one.student_id, one.last) for one in looked if one.last is not None]
    failed = [(student, f"answered {display(sent.status)}") for student, sent in last if not sent.ok]
    if failed:
        yield Finding(
            "failed" if len(failed) == len(last) else "warning",
            f"The last delivery failed for {len(failed)} of {len(last)}: {_reasons(failed)}.",
            "401: the collector has other keys (git-exchange collector keys show), or the secret was changed on the"
            " forge (a new key sets all of them); 404: it does not serve this course; no number: the forge does not"
            " reach it. What was missed is found by the sweep.",
        )
    elif last:
        times = [sent.at for _, sent in last if sent.at is not None]
        newest = f", the newest at {max(times):%Y-%m-%d %H:%M} UTC" if times else ""
        yield Finding("ok", f"the last deliveries of {len(last)} arrived{newest}")
    else:
        yield Finding("ok", "nothing was sent in the last days")


def _names(students: Sequence[str]) -> str:
    return ", ".join(map(display, students[:5])) + (", ..." if len(students) > 5 else "")


def _reasons(found: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{display(student)}: {why}" for student, why in found[:5]) + ("; ..." if len(found) > 5 else "")
