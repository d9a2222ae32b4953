from __future__ import annotations

import pytest

from git_exchange.course.course import Course
from git_exchange.course.protection import STAFF_RULES
from git_exchange.course.releases import releases
from git_exchange.errors import AssignmentNotFound, PushRace, PushRefused
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations import purge as purging
from git_exchange.operations.doctor import _protection
from git_exchange.operations.purge import Found
from git_exchange.operations.purge_release import check_release, plan_release, purge_release
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import TreeFile, commit_tree, has_commit
from git_exchange.transport.rewrite import drop_objects
from tests.unit.school import School


@pytest.fixture
def opened(school: School) -> School:
    school.open("ann")
    school.release()
    return school


def purge(school: School) -> Found:
    course = school.course()
    return purge_release(course, school.forge(), "ps1", plan_release(course, "ps1"), "a solution")


def protected(course: Course, forge: ForgeAdmin) -> bool:
    return not forge.ensure_rules(course.assignments().id, STAFF_RULES)


def test_the_branch_is_protected_again_when_the_push_fails_and_the_next_run_completes_it(
    opened: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PushRefused("no", server_says="a hook said no")

    monkeypatch.setattr(purging, "replace_branch", fail)
    with pytest.raises(Exception, match="a hook said no"):
        purge(opened)
    assert protected(opened.course(), opened.forge())
    monkeypatch.undo()
    assert not releases(opened.course())[0].withdrawn
    purge(opened)
    assert releases(opened.course())[0].withdrawn


def test_what_a_killed_purge_leaves_open_is_seen_by_doctor_and_closed_by_the_next_run(opened: School) -> None:
    course, forge = opened.course(), opened.forge()
    forge.let_rewrite(course.assignments().id, "refs/heads/release/ps1")
    (found,) = _protection(course, course.assignments(), instructors_only=True)
    assert (found.state, found.detail) == ("failed", "A branch can be rewritten: a purge was interrupted.")
    with pytest.raises(AssignmentNotFound, match="Nothing was ever purged"):
        check_release(course, forge, "ps1")
    assert protected(course, forge)


def test_a_release_that_came_between_plan_and_purge_is_not_lost(opened: School) -> None:
    course = opened.course()
    plan = plan_release(course, "ps1")
    opened.release(force=True)
    newer = releases(opened.course())[0].commit
    with pytest.raises(PushRace):
        purge_release(course, opened.forge(), "ps1", plan, "a solution")
    assert releases(opened.course())[0].commit == newer
    assert protected(opened.course(), opened.forge())


def test_after_a_prune_nothing_can_be_had_and_that_is_said(opened: School) -> None:
    found = purge(opened)
    assert not found.clean
    opened.control("clock", offset=2000)
    # The look that asks for the prune is the one that sees its result here; GitLab prunes in the background.
    assert check_release(opened.course(), opened.forge(), "ps1").clean


def test_files_that_a_corrected_release_has_again_do_not_count_as_left_over(opened: School) -> None:
    purge(opened)
    opened.release()
    opened.control("clock", offset=2000)
    assert check_release(opened.course(), opened.forge(), "ps1").clean


def test_a_branch_on_which_somebody_built_on_what_was_purged_is_named(opened: School) -> None:
    course = opened.course()
    old = releases(course)[0].commit
    opened.api("POST", f"/projects/{course.assignments().id}/repository/branches", branch="copy", ref=old)
    assert any("copy" in sentence for sentence in purge(opened).stays)
    opened.control("clock", offset=2000)
    found = check_release(opened.course(), opened.forge(), "ps1")
    assert any("copy" in sentence for sentence in found.stays)


def test_where_nothing_was_purged_nothing_is_said_to_be_gone(opened: School) -> None:
    with pytest.raises(AssignmentNotFound, match="Nothing was ever purged"):
        check_release(opened.course(), opened.forge(), "ps1")


def test_the_ids_of_what_was_purged_are_not_told_to_who_reads_the_branch(opened: School) -> None:
    old = releases(opened.course())[0].commit
    purge(opened)
    branches = opened.forge("ann").branches(opened.course().assignments().id, "release/")
    assert [old in branch.message for branch in branches] == [False]


def test_other_commits_that_no_branch_holds_stay_in_the_local_copy(opened: School) -> None:
    course = opened.course()
    url = course.forge.git_url(course.assignments())
    ref = "refs/heads/release/ps1"

    def work(repository: Repository) -> tuple[str, str, str]:
        old = fetch(repository, url, [ref])[ref]
        evidence, above = (
            commit_tree(repository, parents=parents, files=list[TreeFile](), message="x", name="x", email="x@x", at=at)
            for parents, at in (([], course.now()), ([old], course.now()))
        )
        repository.git.run(["update-ref", "-d", "refs/forge/release/ps1"], git_dir=repository.git_dir)
        drop_objects(repository, [old])
        return old, evidence, above

    def here(repository: Repository, commit: str) -> bool:
        return has_commit(repository, commit)

    old, evidence, above = course.in_repository(lambda cache: cache.releases(), work)
    held = [
        course.in_repository(lambda cache: cache.releases(), lambda repository, oid=oid: here(repository, oid))  # type: ignore[misc]
        for oid in (old, evidence, above)
    ]
    assert held == [False, True, False]
