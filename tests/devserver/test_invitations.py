"""Invitations as GitLab documents them, by python-gitlab and by plain requests."""

from __future__ import annotations

import gitlab.exceptions
import pytest

from tests.devserver.world import World


def test_invitations_are_listed_changed_taken_back_and_accepted_by_whoever_has_the_link(world: World) -> None:
    project = world.project()
    for name in ("una", "vic"):
        project.invitations.create({"email": f"{name}.{world.mark}@Uni.example", "access_level": 10})
    una, vic = (f"{name}.{world.mark}@uni.example" for name in ("una", "vic"))
    listed = project.invitations.list(get_all=True)
    assert [(one.invite_email, one.access_level) for one in listed] == [(una, 10), (vic, 10)]
    assert listed[0].created_by_name == "Administrator"
    assert [one.invite_email for one in project.invitations.list(query="vic.", get_all=True)] == [vic]
    project.invitations.update(vic, {"access_level": 20})
    assert project.invitations.list(query="vic.", get_all=True)[0].access_level == 20
    project.invitations.delete(vic)
    with pytest.raises(gitlab.exceptions.GitlabDeleteError):
        project.invitations.delete(vic)
    other = world.person("other")
    accepted = world.control("POST", "/invitations", json={"email": una, "username": other.username})
    assert accepted.json() == {"accepted": 1}
    assert project.invitations.list(get_all=True) == []
    assert project.members.get(other.id).access_level == 10


def test_every_answer_is_201_and_the_body_tells(world: World) -> None:
    project = world.project()
    reader, owner = world.member(project, "reporter"), world.member(project, "owner")
    maintainer = world.member(project, "maintainer")
    path = f"/projects/{project.id}/invitations"

    def invite(**body: object) -> tuple[int, object]:
        answer = maintainer.call("POST", path, json={"access_level": 10, **body})
        return answer.status_code, answer.json()

    addresses = [f"{person.username}@example.invalid" for person in (reader, owner)]
    assert invite(email=f"nobody,{addresses[0]},{addresses[1]},new-{world.mark}@x.example") == (
        201,
        {
            "status": "error",
            "message": {"nobody": "Invite email is invalid", addresses[1]: "not authorized to update member"},
        },
    )
    assert project.members.get(reader.id).access_level == 10  # lowered, as GitLab does
    assert [one.invite_email for one in project.invitations.list(get_all=True)] == [f"new-{world.mark}@x.example"]
    assert invite(user_id=f"{reader.id}") == (201, {"status": "success"})
    many = ",".join(f"p{number}@x.example" for number in range(101))
    assert invite(email=many)[1] == {"status": "error", "message": "Too many users specified (limit is 100)"}
    assert invite()[0] == 400
    assert invite(email="a@x.example", access_level=50)[0] == 403
    assert reader.call("GET", path).status_code == 403
    assert maintainer.call("PUT", f"{path}/new-{world.mark}@x.example", json={}).status_code == 400


def test_an_invitation_that_nobody_accepts_is_forgotten_after_90_days(world: World) -> None:
    project = world.project()
    project.invitations.create({"email": f"una.{world.mark}@x.example", "access_level": 10})
    try:
        world.control("POST", "/clock", json={"offset": 91 * 86_400})
        assert project.invitations.list(get_all=True) == []
    finally:
        world.control("POST", "/clock", json={"offset": 0})
