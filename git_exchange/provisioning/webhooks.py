"""The webhooks of students' projects, as a roster is applied: what has to become of each, and doing it.

A student in the course has one with the newest key, whoever has left has none. Without a change nothing is asked of the
forge: the record tells.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import replace

from git_exchange.course.course import Course
from git_exchange.course.hooks import RecordedHook, record_hooks
from git_exchange.forge.ports import ForgeHooks
from git_exchange.operations.hook_state import HookSetup, due, fault, install
from git_exchange.provisioning.plan import WAITING, CourseNow, HookChange, Plan, Step
from git_exchange.provisioning.trial import TEST_STUDENT


def with_hooks(
    plan: Plan,
    now: CourseNow,
    course_id: str,
    setup: HookSetup,
    recorded: Mapping[int, RecordedHook],
    trial: int | None = None,
) -> Plan:
    """Return the plan with what becomes of webhooks. Pure.

    Who was dropped earlier and still has one gets a step, and the test student, whose project is number ``trial``.
    """
    steps = [replace(step, hook=_change(step, now, course_id, setup, recorded)) for step in plan.steps]
    named = {step.before.bound.person_id for step in steps if step.before is not None}
    for entry in now.enrolled:
        if not entry.active and entry.project_id in recorded and entry.bound.person_id not in named:
            gone = HookChange("remove", "was dropped before", entry.project_id)
            steps.append(Step(entry.bound.person_id, "keep", entry.role, gone.why, before=entry, hook=gone))
    if trial is not None and (why := due(setup, course_id, trial, recorded.get(trial))):
        steps.append(Step(TEST_STUDENT, "keep", "student", "", hook=HookChange("install", why, trial)))
    return Plan(tuple(steps))


class Webhooks:
    """What several threads do to webhooks while a roster is applied, and the record of it."""

    def __init__(
        self, course: Course, forge: ForgeHooks, setup: HookSetup, recorded: Mapping[int, RecordedHook]
    ) -> None:
        self._course, self._forge, self._setup, self._recorded = course, forge, setup, recorded
        self._lock = threading.Lock()
        self._installed: list[RecordedHook] = []
        self._removed: set[int] = set()

    def carry_out(self, change: HookChange, project_id: int) -> str:
        """Do what the plan says for the project; return it for people."""
        recorded = self._recorded.get(project_id)
        if change.action == "install":
            self._install(project_id)
            return f"webhook installed ({change.why})"
        if recorded is not None:
            self._forge.remove_hook(project_id, recorded.hook_id)
            with self._lock:
                self._removed.add(project_id)
        return "webhook removed"

    def verify(self, project_id: int) -> str:
        """Look at the project's hook and put it right; return what was wrong, "" if nothing was."""
        recorded = self._recorded.get(project_id)
        why = "" if recorded is None else fault(self._forge.hooks(project_id), recorded)
        if why:
            self._install(project_id)
        return why

    def forget_all_but(self, projects: Collection[int]) -> None:
        """Take the hooks of projects that are no longer in the course out of the record: they went with them."""
        with self._lock:
            self._removed |= self._recorded.keys() - set(projects)

    def record(self) -> None:
        """Write down what was done since the last time."""
        with self._lock:
            installed, removed = self._installed, self._removed
            self._installed, self._removed = [], set()
            record_hooks(self._course, installed, removed)

    def _install(self, project_id: int) -> None:
        hook = install(self._forge, self._setup, self._course.course_id, project_id, self._recorded.get(project_id))
        with self._lock:
            self._installed.append(hook)


def _change(
    step: Step, now: CourseNow, course_id: str, setup: HookSetup, recorded: Mapping[int, RecordedHook]
) -> HookChange | None:
    if step.action in WAITING:
        return None
    before, project_id = step.before, step.before.project_id if step.before is not None else None
    if step.action == "drop" or step.role != "student":
        return HookChange("remove", step.why or f"is {step.role}", project_id) if project_id in recorded else None
    if step.action == "keep" and (before is None or not before.active):
        return None  # not active in the LMS at the moment, and without a seat
    if project_id is None or project_id not in now.projects:
        return HookChange("install", "has no webhook yet")
    why = due(setup, course_id, project_id, recorded.get(project_id))
    return HookChange("install", why, project_id) if why else None
