"""Groups and projects: made, brought to what is asked, found, listed and hidden."""

from __future__ import annotations

import uuid

import pytest

from git_exchange.errors import Forbidden, ForgeError, NotFound
from git_exchange.forge.ports import ForgeAdmin, Group, Role, Visibility
from tests.contract.conftest import SEAT_RULES, SUBMIT, Course, Site


def test_a_group_is_made_once_and_then_found(
    site: Site, forge: ForgeAdmin, namespace: Group, requests_made: list[str]
) -> None:
    path = f"g-{uuid.uuid4().hex[:8]}"

    def ensure() -> Group:
        return forge.ensure_group(
            namespace.full_path, path, name="Calculus", description="About it.", visibility=Visibility.PRIVATE
        )

    first = ensure()
    assert (first.full_path, first.description) == (f"{namespace.full_path}/{path}", "About it.")
    assert (first.name, first.visibility) == ("Calculus", Visibility.PRIVATE)
    assert first.web_url.startswith(site.backend.url)
    assert first.web_url.endswith(site.backend.address(first).rpartition("/")[2])
    requests_made.clear()
    assert ensure() == first
    assert all(request.startswith("GET ") for request in requests_made)
    assert forge.find_group(first.full_path) == first


def test_a_group_is_brought_to_another_description_and_visibility(forge: ForgeAdmin, namespace: Group) -> None:
    path = f"g-{uuid.uuid4().hex[:8]}"
    first = forge.ensure_group(namespace.full_path, path, name="x", description="a", visibility=Visibility.PRIVATE)
    forge.ensure_group(namespace.full_path, path, name="x", description="b", visibility=Visibility.SIGNED_IN)
    found = forge.find_group(first.full_path)
    assert (found.id, found.description, found.visibility) == (first.id, "b", Visibility.SIGNED_IN)


def test_a_group_below_one_that_does_not_exist_is_refused(forge: ForgeAdmin) -> None:
    with pytest.raises(ForgeError):
        forge.ensure_group(f"none-{uuid.uuid4().hex}", "x", name="x", description="", visibility=Visibility.PRIVATE)


def test_a_project_is_made_once_with_a_first_commit_and_then_found(course: Course, requests_made: list[str]) -> None:
    first = course.project("student-alice")
    assert (first.group_path, first.path) == (course.group.full_path, "student-alice")
    assert first.description == "the project student-alice"
    assert (first.visibility, first.archived) == (Visibility.PRIVATE, False)
    requests_made.clear()
    assert course.project("student-alice").id == first.id
    assert all(request.startswith("GET ") for request in requests_made), requests_made
    found = course.site.admin.find_project(f"{course.group.full_path}/student-alice")
    assert (found.id, found.path, found.visibility) == (first.id, first.path, first.visibility)
    assert len(course.site.admin.branches(first.id, "")) == 1


def test_a_project_is_brought_to_another_description_and_visibility(course: Course) -> None:
    first = course.project("assignments")
    changed = course.site.admin.ensure_project(
        course.group, "assignments", description="new", visibility=Visibility.SIGNED_IN, issues=False
    )
    assert (changed.id, changed.description, changed.visibility) == (first.id, "new", Visibility.SIGNED_IN)
    assert course.site.admin.find_project(f"{course.group.full_path}/assignments").description == "new"


@pytest.mark.parametrize("text", ["", "A seat.\nStudent: alice%0A", "Größe \u2713 <b>&amp;</b>"])
def test_a_description_comes_back_as_it_was_given(course: Course, text: str) -> None:
    project = course.site.admin.ensure_project(
        course.group, "p", description=text, visibility=Visibility.PRIVATE, issues=False
    )
    assert project.description == text
    assert course.site.admin.find_project(f"{course.group.full_path}/p").description == text


@pytest.mark.parametrize("name", ["student-alice", "student-xalice_40uni_2eedu", "student-a.b-c.0"])
def test_the_names_of_the_layout_are_taken_as_they_are(course: Course, name: str) -> None:
    assert course.project(name).path == name


def test_what_is_absent_is_not_found(forge: ForgeAdmin, course: Course) -> None:
    for find in (
        lambda: forge.find_group(f"{course.group.full_path}/none"),
        lambda: forge.find_project(f"{course.group.full_path}/none"),
        lambda: forge.find_project("none/none"),
        lambda: forge.branches(2**31 - 7, ""),
        lambda: forge.pushes(2**31 - 7),
    ):
        with pytest.raises(NotFound):
            find()


def test_what_is_hidden_is_not_found(course: Course) -> None:
    project = course.seat("alice")
    bob = course.site.person("bob").forge
    for find in (
        lambda: bob.find_project(f"{course.group.full_path}/student-alice"),
        lambda: bob.branches(project.id, ""),
        lambda: bob.pushes(project.id),
        lambda: bob.rules(project.id),
        lambda: bob.members(project.id),
        lambda: bob.set_access(project.id, course.site.person("bob").account, Role.STUDENT),
    ):
        with pytest.raises(NotFound):
            find()
    assert bob.find_group(course.group.full_path).id == course.group.id


def test_a_list_of_projects_is_complete_over_several_pages_and_the_same_for_nobody_else(course: Course) -> None:
    made = {course.project(f"student-s{number}").id for number in range(105)}
    found = course.site.admin.projects(course.group)
    assert len(found) == len(made)
    assert {project.id for project in found} == made
    assert {project.group_path for project in found} == {course.group.full_path}
    assert course.site.person("bob").forge.projects(course.group) == []


def test_a_list_of_projects_has_only_those_of_the_group_itself(course: Course) -> None:
    forge = course.site.admin
    below = forge.ensure_group(course.group.full_path, "below", name="x", description="", visibility=Visibility.PRIVATE)
    forge.ensure_project(below, "p", description="", visibility=Visibility.PRIVATE, issues=False)
    project = course.project("p")
    assert [found.id for found in forge.projects(course.group)] == [project.id]


def test_students_see_what_is_for_everybody_and_their_own(course: Course) -> None:
    assignments = course.project("assignments", visibility=Visibility.SIGNED_IN)
    course.project("staff")
    seats = {name: course.seat(name) for name in ("alice", "bob")}
    alice = course.site.person("alice").forge
    assert {found.id for found in alice.projects(course.group)} == {assignments.id, seats["alice"].id}
    mine = [found for found in alice.my_projects("student-") if found.group_path == course.group.full_path]
    assert [(found.id, found.path, found.visibility) for found in mine] == [
        (seats["alice"].id, "student-alice", Visibility.PRIVATE)
    ]
    assert alice.my_projects(f"student-{uuid.uuid4().hex}") == []


def test_my_projects_are_those_to_which_i_may_push(course: Course) -> None:
    assignments = course.project("student-assignments")
    alice = course.site.person("alice")
    course.site.admin.set_access(assignments.id, alice.account, Role.READER)
    assert assignments.id not in {found.id for found in alice.forge.my_projects("student-")}


def test_an_archived_project_is_marked_and_takes_no_push(course: Course) -> None:
    project = course.seat("alice")
    forge = course.site.admin
    forge.archive(project.id)
    forge.archive(project.id)
    assert forge.find_project(f"{course.group.full_path}/student-alice").archived
    assert [(found.id, found.archived) for found in forge.projects(course.group)] == [(project.id, True)]
    copy = course.working_copy()
    pushed = copy.push(course.url(project), course.site.person("alice").token, f"{copy.commit('a')}:{SUBMIT}")
    assert not pushed.accepted


def test_a_project_that_is_not_archived_any_more_is_as_it_was_before(course: Course) -> None:
    project = course.seat("alice")
    forge = course.site.admin
    forge.archive(project.id)
    forge.unarchive(project.id)
    forge.unarchive(project.id)
    assert not forge.find_project(f"{course.group.full_path}/student-alice").archived
    assert set(SEAT_RULES) <= set(forge.rules(project.id))
    copy, alice = course.working_copy(), course.site.person("alice")
    assert copy.push(course.url(project), alice.token, f"{copy.commit('a')}:{SUBMIT}").accepted
    assert not copy.push(course.url(project), alice.token, f"{copy.commit('b')}:refs/heads/feedback/ps1").accepted


def test_a_student_can_make_nothing_in_the_course(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice").forge
    with pytest.raises(Forbidden):
        alice.ensure_project(course.group, "mine", description="", visibility=Visibility.PRIVATE, issues=False)
    with pytest.raises(Forbidden):
        alice.ensure_group(course.group.full_path, "mine", name="x", description="", visibility=Visibility.PRIVATE)
    with pytest.raises(Forbidden):
        alice.archive(project.id)
    with pytest.raises(Forbidden):
        alice.unarchive(project.id)


def test_addresses_lie_on_the_configured_origin_and_hold_no_credentials(course: Course) -> None:
    project = course.project("assignments")
    forge = course.site.admin
    assert forge.url == course.site.backend.url
    for url in (forge.git_url(project), forge.commit_url(project, "1" * 40)):
        assert url.startswith(f"{course.site.backend.address(course.group)}/assignments")
        assert "@" not in url
    assert forge.commit_url(project, "1" * 40).endswith("1" * 40)
