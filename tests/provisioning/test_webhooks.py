"""Webhooks as people set them up: keys, plan, apply, a change of keys, repair and doctor."""

from __future__ import annotations

import json

from git_exchange.forge.connect import hooks_by
from git_exchange.rules.hook_secrets import hook_url
from tests.exchange.classroom import COURSE, Classroom, Result

URL = "https://collector.example.edu"


def run(classroom: Classroom, *command: str, **environment: str) -> Result:
    result = classroom.run(classroom.teacher, ["git-exchange", *command], **environment)
    assert "Traceback" not in result.output, result.output
    return result


def configuration(classroom: Classroom, keys: str) -> str:
    """Write a collector's configuration and return its path."""
    path = classroom.teacher.work / "collector.toml"
    path.write_text(f"""\
url = "{classroom.url}"
namespace = "{classroom.namespace}"
kind = "{classroom.kind}"
courses = ["{COURSE}"]
[hooks]
public_url = "{URL}"
keys_file = "{keys}"
[storage]
database = "sqlite:///inbox.db"
queue = "sqlite:///queue.db"
""")
    return str(path)


def test_webhooks_are_installed_moved_to_a_new_key_and_repaired(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    roster = str(classroom.teacher.work / "roster.csv")
    keys = str(classroom.teacher.work / "keys")
    first = run(classroom, "collector", "keys", "new", keys).output.split()[0]
    webhooks = {"GIT_EXCHANGE_WEBHOOK_URL": URL, "GIT_EXCHANGE_WEBHOOK_KEYS": keys}
    apply = ("roster", "apply", COURSE, "--from", roster)
    planned = run(classroom, "roster", "plan", COURSE, "--from", roster, "--json", **webhooks)
    said = json.loads(planned.output)
    assert said["webhooks"] == {"install": 2}
    assert [step["webhook"] for step in said["steps"] if step["who"] == "ann"] == [
        {"action": "install", "why": "has no webhook yet"}
    ]
    half = run(classroom, *apply, GIT_EXCHANGE_WEBHOOK_URL=URL)
    assert half.status == 1
    assert "--webhook-keys is missing" in half.output
    assert "2 changed, 1 unchanged (of 3)" in run(classroom, *apply, **webhooks).output
    assert "3 unchanged (of 3)" in run(classroom, *apply, **webhooks).output

    second = run(classroom, "collector", "keys", "new", keys).output.split()[0]
    shown = run(classroom, "collector", "keys", "show", keys).output
    assert [line.split()[0] for line in shown.splitlines()] == [second, first]
    planned = run(classroom, "roster", "plan", COURSE, "--from", roster, **webhooks)
    assert "Webhooks: 2 install" in planned.output
    assert "is newer" in " ".join(planned.output.split())
    drop = ("collector", "keys", "drop", keys)
    assert "which courses" in run(classroom, *drop).output.lower()
    refused = run(classroom, *drop, "--course", COURSE)
    assert refused.status == 1
    assert "2 webhooks of the course" in refused.output
    assert "2 changed" in run(classroom, *apply, **webhooks).output
    config = ("--config", configuration(classroom, keys))
    dropped = run(classroom, *drop, *config).output
    assert [line.split()[0] for line in dropped.splitlines()] == [second]

    ann, forge = classroom.seat("ann").id, hooks_by(classroom.forge())
    (hook,) = forge.hooks(ann)
    assert hook.url == hook_url(URL, COURSE, ann)
    forge.remove_hook(ann, hook.id)
    doctor = run(classroom, "doctor", COURSE, **webhooks)
    assert doctor.status == 1
    assert "ann: its webhook is gone from the forge" in doctor.output
    assert "1 repaired, 1 unchanged (of 2)" in run(classroom, "collector", "hooks", *config).output
    doctor = run(classroom, "doctor", COURSE, **webhooks)
    assert doctor.status == 0, doctor.output
    assert "webhooks: set up and active on the forge, of all 2" in doctor.output
