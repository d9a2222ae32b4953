"""What we say of a commit: a courtesy for the student."""

from __future__ import annotations

import pytest

from git_exchange.errors import ForgeError, NotFound
from tests.contract.conftest import SUBMIT, Course


def test_that_a_commit_was_received_is_said_once(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice")
    copy = course.working_copy()
    first = copy.commit("one")
    second = copy.commit("two", parent=first)
    assert copy.push(course.url(project), alice.token, f"{second}:{SUBMIT}").accepted
    forge = course.site.admin
    page = forge.commit_url(project, second)
    assert forge.note_received(project.id, second, "Attempt 1, received", page)
    assert not forge.note_received(project.id, second, "Attempt 1, received again", page)
    assert forge.note_received(project.id, first, "Attempt 0, received", page)


def test_nothing_is_said_of_a_commit_that_is_not_there(course: Course) -> None:
    project = course.seat("alice")
    copy = course.working_copy()
    assert copy.push(course.url(project), course.site.person("alice").token, f"{copy.commit('one')}:{SUBMIT}").accepted
    with pytest.raises(ForgeError):
        course.site.admin.note_received(project.id, "a" * 40, "Received", "https://forge.example")


def test_nothing_is_said_in_a_project_that_one_does_not_see(course: Course) -> None:
    project = course.seat("alice")
    copy = course.working_copy()
    commit = copy.commit("one")
    assert copy.push(course.url(project), course.site.person("alice").token, f"{commit}:{SUBMIT}").accepted
    with pytest.raises(NotFound):
        course.site.person("bob").forge.note_received(project.id, commit, "Received", "https://forge.example")
