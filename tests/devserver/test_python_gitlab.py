"""The server as an unmodified python-gitlab sees it."""

from __future__ import annotations

import base64
from datetime import date, timedelta

import gitlab
import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabCreateError, GitlabDeleteError, GitlabGetError

from tests.devserver.world import World, check


def test_it_signs_in_with_either_kind_of_header(world: World) -> None:
    for options in ({"private_token": world.server.admin_token}, {"oauth_token": world.server.admin_token}):
        client = gitlab.Gitlab(world.server.url, **options)
        client.auth()
        assert client.user is not None
        assert client.user.username == "root"
    assert client.version()[0].count(".") == 2
    assert client.http_get("/metadata")["enterprise"] is False


def test_a_wrong_token_is_refused(world: World) -> None:
    with pytest.raises(GitlabAuthenticationError, match="401"):
        gitlab.Gitlab(world.server.url, private_token="glpat-wrong").auth()


def test_users_are_found_by_name_and_not_made_twice(world: World) -> None:
    alice = world.person("alice")
    (found,) = world.admin.users.list(username=alice.username.upper(), get_all=True)
    assert found.id == alice.id
    check("user_basic", alice.client.users.list(search="alice", get_all=True)[0].attributes)
    assert not hasattr(alice.client.users.list(username=alice.username, get_all=True)[0], "email")
    with pytest.raises(GitlabCreateError) as refused:
        world.admin.users.create(
            {"username": alice.username, "name": "x", "email": "other@example.invalid", "reset_password": True}
        )
    assert refused.value.response_code == 409
    with pytest.raises(GitlabCreateError) as forbidden:
        alice.client.users.create({"username": "x", "name": "x", "email": "x@example.invalid", "reset_password": True})
    assert forbidden.value.response_code == 403


def test_a_blocked_user_can_do_nothing(world: World) -> None:
    alice = world.person("alice")
    user = world.admin.users.get(alice.id)
    assert user.block()
    with pytest.raises(GitlabGetError) as refused:
        alice.client.users.get(alice.id)
    assert refused.value.response_code == 403
    assert user.unblock()
    alice.client.auth()


def test_tokens_tell_what_they_may_do(world: World) -> None:
    alice = world.person("alice", "read_api", "write_repository")
    own = alice.client.personal_access_tokens.get("self")
    assert own.scopes == ["read_api", "write_repository"]
    assert own.expires_at == (date.today() + timedelta(days=30)).isoformat()
    made = world.admin.users.get(alice.id).impersonationtokens.create({"name": "x", "scopes": ["api"]})
    assert made.impersonation
    client = gitlab.Gitlab(world.server.url, private_token=made.token)
    client.auth()
    assert client.user is not None
    assert client.user.id == alice.id


def test_groups_nest_and_are_found_by_their_path(world: World) -> None:
    course = world.admin.groups.create({"name": "Calc 101", "path": "calc-101", "parent_id": world.group.id})
    check("group", course.attributes)
    assert course.full_path == f"{world.group.full_path}/calc-101"
    assert world.admin.groups.get(course.full_path).id == course.id
    assert [one.id for one in world.group.subgroups.list(get_all=True)] == [course.id]
    assert course.id not in [one.id for one in world.admin.groups.list(top_level_only=True, get_all=True)]
    course.description = "All of it\nCourse: calc"
    course.request_access_enabled = False
    course.save()
    again = world.admin.groups.get(course.id)
    assert (again.description, again.request_access_enabled) == ("All of it\nCourse: calc", False)
    with pytest.raises(GitlabCreateError, match="has already been taken") as refused:
        world.admin.groups.create({"name": "Other", "path": "CALC-101", "parent_id": world.group.id})
    assert refused.value.response_code == 400
    course.delete()
    with pytest.raises(GitlabGetError) as gone:
        world.admin.groups.get(course.full_path)
    assert gone.value.response_code == 404


def test_a_project_is_made_with_a_commit_and_a_protected_branch(world: World) -> None:
    project = world.project("student-alice", issues_access_level="private", wiki_access_level="disabled")
    assert project.default_branch == "main"
    assert project.issues_access_level == "private"
    assert project.wiki_enabled is False
    check("project_simple", project.attributes)
    (rule,) = project.protectedbranches.list(get_all=True)
    check("protected_branch", rule.attributes)
    assert (rule.name, rule.push_access_levels[0]["access_level"]) == ("main", 40)
    (branch,) = project.branches.list(get_all=True)
    check("branch", branch.attributes)
    assert branch.default
    with pytest.raises(GitlabCreateError) as refused:
        world.project("student-alice")
    assert refused.value.response_code == 400
    assert "has already been taken" in str(refused.value)


def test_projects_are_changed_archived_and_deleted(world: World) -> None:
    project = world.project()
    project.description = "A sentence.\nStudent: a%0Ab"
    project.save()
    project.archive()
    again = world.admin.projects.get(project.path_with_namespace)
    assert again.archived
    assert again.description == "A sentence.\nStudent: a%0Ab"
    assert [p.id for p in world.group.projects.list(archived=True, get_all=True)] == [project.id]
    assert world.group.projects.list(archived=False, get_all=True) == []
    again.unarchive()
    again.delete()
    with pytest.raises(GitlabGetError):
        world.admin.projects.get(project.id)
    assert world.project().id > project.id


def test_members_come_and_go_and_inherit(world: World) -> None:
    project = world.project()
    alice, boss = world.person("alice"), world.person("boss")
    made = project.members.create({"user_id": alice.id, "access_level": 30})
    check("member", made.attributes)
    with pytest.raises(GitlabCreateError, match="Member already exists") as refused:
        project.members.create({"user_id": alice.id, "access_level": 30})
    assert refused.value.response_code == 409
    world.group.members.create({"username": boss.username, "access_level": 40})
    levels = {one.username: one.access_level for one in project.members_all.list(get_all=True)}
    assert levels == {alice.username: 30, boss.username: 40, "root": 50}
    assert project.members_all.get(boss.id).access_level == 40
    with pytest.raises(GitlabGetError):
        project.members.get(boss.id)
    with pytest.raises(GitlabCreateError, match="inherited membership") as lower:
        project.members.create({"user_id": boss.id, "access_level": 30})
    assert lower.value.response_code == 400
    made.access_level = 20
    made.save()
    assert project.members.get(alice.id).access_level == 20
    project.members.delete(alice.id)
    with pytest.raises(GitlabGetError):
        alice.client.projects.get(project.id)


def test_only_who_may_manages_members(world: World) -> None:
    project = world.project()
    developer, maintainer = world.member(project, "developer"), world.member(project, "maintainer")
    alice = world.person("alice")
    for person, level, status in ((developer, 30, 403), (maintainer, 50, 403)):
        with pytest.raises(GitlabCreateError) as refused:
            person.client.projects.get(project.id).members.create({"user_id": alice.id, "access_level": level})
        assert refused.value.response_code == status
    maintainer.client.projects.get(project.id).members.create({"user_id": alice.id, "access_level": 40})
    developer.client.projects.get(project.id).members.delete(developer.id)
    with pytest.raises(GitlabGetError):
        developer.client.projects.get(project.id)


def test_rules_are_made_read_and_removed(world: World) -> None:
    project = world.project()
    world.rules(project)
    assert {rule.name for rule in project.protectedbranches.list(get_all=True)} == {"main", "*", "submit/*"}
    rule = project.protectedbranches.get("submit/*")
    assert (rule.push_access_levels[0]["access_level"], rule.merge_access_levels[0]["access_level"]) == (30, 0)
    with pytest.raises(GitlabCreateError, match="already exists") as refused:
        project.protectedbranches.create({"name": "submit/*"})
    assert refused.value.response_code == 409
    rule.allow_force_push = True
    rule.save()
    assert project.protectedbranches.get("submit/*").allow_force_push
    rule.delete()
    with pytest.raises(GitlabGetError):
        project.protectedbranches.get("submit/*")
    assert [tag.name for tag in project.protectedtags.list(get_all=True)] == ["*"]
    project.protectedtags.delete("*")
    developer = world.member(project, "developer")
    with pytest.raises(GitlabCreateError) as low:
        developer.client.projects.get(project.id).protectedbranches.create({"name": "x"})
    assert low.value.response_code == 403


def test_branches_commits_trees_and_files_are_read(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "maintainer"))
    (work.folder / "sub").mkdir()
    (work.folder / "sub" / "b.txt").write_text("b\n")
    head = work.commit("answer", "a file.txt")
    work.git("commit", "--quiet", "--allow-empty", "-m", "Submit ps1\n\nAssignment: ps1\nAttempt: 2")
    assert (
        work.push("HEAD:refs/heads/submit/ps1", "HEAD:refs/heads/submit/ps2", "HEAD~1:refs/heads/main").returncode == 0
    )
    names = [branch.name for branch in project.branches.list(search="^submit/", get_all=True)]
    assert names == ["submit/ps1", "submit/ps2"]
    assert [b.name for b in project.branches.list(regex="ps[2-9]$", get_all=True)] == ["submit/ps2"]
    commit = project.commits.get("submit/ps1")
    check("commit", commit.attributes)
    assert commit.trailers == {"Assignment": "ps1", "Attempt": "2"}
    assert commit.parent_ids == [head]
    assert [one.id for one in project.commits.list(ref_name="submit/ps1", get_all=True)][:2] == [commit.id, head]
    tree = project.repository_tree(ref="submit/ps1", recursive=True, get_all=True)
    assert {entry["path"] for entry in tree} == {"README.md", "a file.txt", "sub", "sub/b.txt"}
    assert project.files.get("sub/b.txt", ref="main").decode() == b"b\n"
    assert base64.b64decode(project.files.get("a file.txt", ref=head).content) == b"answer"
    assert project.files.raw("a file.txt", ref="main") == b"answer"
    compared = project.repository_compare("main", "submit/ps1")
    assert [one["id"] for one in compared["commits"]] == [commit.id]
    with pytest.raises(GitlabGetError) as missing:
        project.branches.get("submit/none")
    assert missing.value.response_code == 404
    with pytest.raises(GitlabGetError):
        project.files.get("none", ref="main")


def test_branches_and_tags_are_made_and_deleted_within_protection(world: World) -> None:
    project = world.project()
    world.rules(project)
    developer, maintainer = world.member(project, "developer"), world.member(project, "maintainer")
    low, high = developer.client.projects.get(project.id), maintainer.client.projects.get(project.id)
    branch = low.branches.create({"branch": "submit/ps1", "ref": "main"})
    check("branch", branch.attributes)
    with pytest.raises(GitlabDeleteError, match="Only a project maintainer"):
        low.branches.delete("submit/ps1")
    high.branches.delete("submit/ps1")
    with pytest.raises(GitlabDeleteError, match="default branch"):
        high.branches.delete("main")
    with pytest.raises(GitlabCreateError, match="not allowed to create this tag"):
        low.tags.create({"tag_name": "v1", "ref": "main"})
    assert high.tags.create({"tag_name": "v1", "ref": "main", "message": "One"}).message == "One"
    assert [tag.name for tag in low.tags.list(get_all=True)] == ["v1"]
    high.tags.delete("v1")


def test_statuses_are_set_and_read(world: World) -> None:
    project = world.project()
    commit = project.commits.get("main")
    commit.statuses.create({"state": "success", "name": "receipt", "description": "taken", "target_url": "http://x/y"})
    (status,) = commit.statuses.list(get_all=True)
    assert (status.status, status.name, status.sha) == ("success", "receipt", commit.id)
