"""Who may announce a push, and what an announcement says."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.collector.events import NotOurs, Refused, Verified, read, verify
from git_exchange.collector.values import Arrival
from git_exchange.rules.hook_secrets import HookSecret
from tests.collector import deliveries
from tests.collector.deliveries import COMMIT, NOW, OLD_KEY, REF, Headers, changed, secret, without

SAMPLES = Path(__file__).parent / "samples"
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def seen(headers: Headers, body: bytes, *, hook_signs: bool = False, project_id: int = 15) -> Arrival | NotOurs:
    """Return what the receiver would make of the request."""
    verified = verify(headers, body, [secret(project_id), secret(project_id, OLD_KEY)], NOW)
    return read(verified, hook_signs=hook_signs, course_id="calculus", project_id=project_id, now=NOW)


def refused(headers: Headers, body: bytes, **how: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        seen(headers, body, **how)
    assert secret().token not in str(caught.value)
    return caught.value.status, caught.value.reason


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / name).read_text())
    return found


BODY = {forge: deliveries.body(forge) for forge in ("gitlab", "gitea")}


def sent(kind: str, body: bytes | None = None, key: bytes = deliveries.KEY) -> Headers:
    if kind == "gitea":
        return deliveries.gitea(BODY["gitea"] if body is None else body, secret(key=key))
    return deliveries.gitlab(BODY["gitlab"] if body is None else body, secret(key=key), signed=kind == "signed")


@pytest.mark.parametrize("kind", ["plain", "signed", "gitea"])
@pytest.mark.parametrize("key", [deliveries.KEY, OLD_KEY])
def test_a_push_is_announced_with_any_of_the_keys(kind: str, key: bytes) -> None:
    headers = sent(kind, key=key)
    arrival = seen(headers, BODY["gitea" if kind == "gitea" else "gitlab"])
    delivery = dict(headers).get("Idempotency-Key") or dict(headers)["X-Gitea-Delivery"]
    assert arrival == Arrival(f"hook:15:{delivery}", "calculus", 15, REF, COMMIT, NOW)


def test_the_documented_requests_of_gitlab_and_forgejo_are_verified() -> None:
    gitlab = sample("webhook_gitlab_signed.json")
    at = datetime.fromtimestamp(int(gitlab["headers"]["webhook-timestamp"]), timezone.utc)
    using = HookSecret(gitlab["secret_token"], gitlab["signing_token"])
    found = verify(gitlab["headers"].items(), gitlab["body"].encode(), [using], at)
    assert (found.forge, found.signed, found.delivery) == ("gitlab", True, gitlab["headers"]["webhook-id"])
    forgejo = sample("webhook_forgejo_signed.json")
    using = HookSecret(forgejo["secret"], "whsec_")
    found = verify(forgejo["headers"].items(), forgejo["body"].encode(), [using], NOW)
    assert (found.forge, found.signed, found.event) == ("gitea", False, "push")


@pytest.mark.parametrize("token", ["", "wrong", "a" * 64, "schlüssel", "\udc80", secret(16).token])
def test_a_wrong_or_empty_token_is_refused(token: str) -> None:
    assert refused(changed(sent("plain"), x_gitlab_token=token), BODY["gitlab"]) == (401, "token")


def test_a_missing_token_is_refused() -> None:
    assert refused(without(sent("plain"), "X-Gitlab-Token"), BODY["gitlab"]) == (401, "token")


@pytest.mark.parametrize("value", ["", "sha256=", "sha256", "sha1=00", f"sha256={'0' * 64}", "sha256=ü"])
def test_a_wrong_or_empty_hmac_is_refused(value: str) -> None:
    assert refused(changed(sent("gitea"), x_hub_signature_256=value), BODY["gitea"]) == (401, "signature")


def test_a_hook_that_was_installed_without_a_secret_is_refused() -> None:
    assert refused(deliveries.gitea(BODY["gitea"], None), BODY["gitea"]) == (401, "signature")
    missing = without(sent("gitea"), "X-Hub-Signature-256")
    assert refused(missing, BODY["gitea"]) == (401, "signature"), "the bare signatures are no substitute"


@pytest.mark.parametrize("kind", ["signed", "gitea"])
def test_a_changed_body_is_refused(kind: str) -> None:
    body = deliveries.body("gitea" if kind == "gitea" else "gitlab", commit="1" * 40)
    assert refused(sent(kind), body) == (401, "signature")


@pytest.mark.parametrize(
    "signature",
    ["", "v1", "v1,", "v1,=", "v1,!!!", "v1,é", "v2,AAAA", "v1," + "A" * 43 + "=", " ", "v1,AAAA v1,BBBB"],
)
def test_a_malformed_or_wrong_signature_is_refused_although_the_token_is_right(signature: str) -> None:
    assert refused(changed(sent("signed"), webhook_signature=signature), BODY["gitlab"]) == (401, "signature")


@pytest.mark.parametrize("name", SIGNED)
def test_half_a_signature_is_refused_although_the_token_is_right(name: str) -> None:
    assert refused(without(sent("signed"), name), BODY["gitlab"]) == (401, "signature")


def test_one_right_signature_of_several_passes() -> None:
    headers = sent("signed")
    several = f"v1a,AAAA v1,{base64.b64encode(bytes(32)).decode()} {dict(headers)['webhook-signature']}"
    assert isinstance(seen(changed(headers, webhook_signature=several), BODY["gitlab"]), Arrival)


def test_the_token_does_not_matter_where_the_signature_is_right() -> None:
    assert isinstance(seen(without(sent("signed"), "X-Gitlab-Token"), BODY["gitlab"]), Arrival)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_signature_of_the_last_five_minutes_passes(seconds: int) -> None:
    headers = deliveries.gitlab(BODY["gitlab"], secret(), signed=True, at=NOW + timedelta(seconds=seconds))
    assert isinstance(seen(headers, BODY["gitlab"]), Arrival)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_older_signature_or_one_from_the_future_is_refused(seconds: int) -> None:
    headers = deliveries.gitlab(BODY["gitlab"], secret(), signed=True, at=NOW + timedelta(seconds=seconds))
    assert refused(headers, BODY["gitlab"]) == (401, "timestamp")


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "٣", "9" * 400, "nan", " 1"])
def test_a_malformed_time_is_refused(timestamp: str) -> None:
    assert refused(changed(sent("signed"), webhook_timestamp=timestamp), BODY["gitlab"]) == (401, "signature")


@pytest.mark.parametrize("kind", ["plain", "gitea"])
def test_a_hook_that_signs_has_to_sign(kind: str) -> None:
    body = BODY["gitea" if kind == "gitea" else "gitlab"]
    assert refused(sent(kind), body, hook_signs=True) == (401, "unsigned")


def test_a_hook_that_signs_goes_on() -> None:
    assert isinstance(seen(sent("signed"), BODY["gitlab"], hook_signs=True), Arrival)


@pytest.mark.parametrize("name", [*SIGNED, "Idempotency-Key", "X-Gitlab-Event", "Content-Type"])
def test_a_header_that_counts_is_refused_twice(name: str) -> None:
    headers = sent("signed")
    assert refused([*headers, (name.upper(), dict(headers)[name])], BODY["gitlab"]) == (400, "headers")


def test_a_token_or_hmac_that_is_there_twice_is_refused() -> None:
    for kind, name in (("plain", "X-Gitlab-Token"), ("gitea", "X-Hub-Signature-256")):
        headers = sent(kind)
        assert refused([*headers, (name, "other")], BODY["gitlab"]) == (400, "headers")


def test_headers_of_both_kinds_or_of_none_are_refused() -> None:
    assert refused(sent("plain") + sent("gitea"), BODY["gitlab"]) == (400, "forge")
    assert refused([("Content-Type", "application/json")], BODY["gitlab"]) == (400, "forge")


@pytest.mark.parametrize("media_type", ["", "application/x-www-form-urlencoded", "text/plain", "application/jsonx"])
def test_only_json_is_taken(media_type: str) -> None:
    assert refused(changed(sent("gitea"), content_type=media_type), BODY["gitea"]) == (415, "media-type")
    assert isinstance(
        seen(changed(sent("gitea"), content_type="application/JSON; charset=utf-8"), BODY["gitea"]), Arrival
    )


def test_a_request_names_its_event_and_a_reasonable_delivery() -> None:
    assert refused(without(sent("plain"), "X-Gitlab-Event"), BODY["gitlab"]) == (400, "headers")
    for bad in ("x" * 201, "a b", "a\x00", "é"):
        assert refused(changed(sent("gitea"), x_gitea_delivery=bad), BODY["gitea"]) == (400, "headers")


def test_a_forge_that_names_no_delivery_is_known_again_by_the_body() -> None:
    headers = without(sent("plain"), "Idempotency-Key")
    first, again = seen(headers, BODY["gitlab"]), seen(headers, BODY["gitlab"])
    other = seen(headers, deliveries.body("gitlab", commit="1" * 40))
    assert isinstance(first, Arrival)
    assert isinstance(other, Arrival)
    assert first == again
    assert first.delivery != other.delivery


@pytest.mark.parametrize("forge", ["gitlab", "gitea"])
@pytest.mark.parametrize(
    "ref",
    [
        *(
            "refs/heads/main",
            "refs/tags/submit/ps1",
            "refs/heads/submit",
            "refs/heads/submit/",
            "refs/heads/submit/PS1",
        ),
        *("refs/heads/submit/ps1/x", "refs/heads/feedback/ps1", "submit/ps1", "ps1", "", "refs/heads/submit/a\x00b"),
    ],
)
def test_a_push_to_another_ref_is_not_ours(forge: str, ref: str) -> None:
    body = deliveries.body(forge, ref=ref)
    assert seen(sent("plain" if forge == "gitlab" else "gitea", body), body) == NotOurs("another ref")


@pytest.mark.parametrize("name", ["ps1", "x_50_53", "h_" + "0" * 40])
def test_a_push_to_any_branch_of_attempts_is_ours(name: str) -> None:
    body = deliveries.body("gitea", ref=f"refs/heads/submit/{name}")
    assert isinstance(seen(sent("gitea", body), body), Arrival)


def test_deletions_and_other_events_are_not_ours() -> None:
    body = deliveries.body("gitlab", commit="0" * 40)
    assert seen(sent("plain", body), body) == NotOurs("a deletion")
    for event in ("Tag Push Hook", "System Hook", "Issue Hook"):
        assert seen(changed(sent("plain"), x_gitlab_event=event), b"anything") == NotOurs("another event")
    body = b"{}"
    assert seen(deliveries.gitea(body, secret(), event="delete"), body) == NotOurs("another event")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"project_id": ' + b"9" * 10_000 + b"}", b"{}"]
    + [deliveries.body("gitlab", **{name: None}) for name in ("project_id", "ref", "after")]  # type: ignore[arg-type]
    + [deliveries.body("gitlab", project_id=value) for value in (True, "15", 15.0)]  # type: ignore[arg-type]
    + [deliveries.body("gitlab", commit=value) for value in ("", "da15", "g" * 40, "A" * 40, "0" * 41)],
    ids=range(19),
)
def test_what_is_no_push_of_a_forge_is_refused(body: bytes) -> None:
    assert refused(sent("plain", body), body) == (400, "payload")


@pytest.mark.parametrize("kind", ["plain", "gitea"])
def test_a_push_to_another_project_is_refused(kind: str) -> None:
    body = deliveries.body("gitea" if kind == "gitea" else "gitlab", project_id=16)
    assert refused(sent(kind, body), body) == (400, "project")


def test_the_body_is_not_read_before_it_is_verified() -> None:
    assert refused(sent("gitea", b"other"), b"{") == (401, "signature")


NAMES = ["X-Gitlab-Event", "X-Gitlab-Token", "Idempotency-Key", "X-Gitea-Event", "X-Gitea-Delivery", "Content-Type"]
NAMES += ["X-Hub-Signature-256", *SIGNED]
VALUES = st.text() | st.sampled_from([secret().token, "application/json", "Push Hook", "push", "15", "v1,AAAA"])


@given(st.lists(st.tuples(st.sampled_from(NAMES) | st.text(), VALUES)), st.binary(), st.booleans())
def test_whatever_comes_in_is_refused_or_not_ours(headers: Headers, body: bytes, hook_signs: bool) -> None:
    try:
        assert isinstance(seen(headers, body, hook_signs=hook_signs), NotOurs)
    except Refused as refusal:
        assert refusal.status in (400, 401, 415)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([15, REF, COMMIT]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["project_id", "ref", "after", "id"]), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(["gitlab", "gitea"]),
    st.dictionaries(st.sampled_from(["project_id", "repository", "ref", "after"]), JSON),
)
def test_any_json_of_a_forge_is_a_push_or_not_ours_or_refused(forge: str, payload: dict[str, Any]) -> None:
    event = "Push Hook" if forge == "gitlab" else "push"
    verified = Verified(forge, event, "id", False, json.dumps(payload).encode())  # type: ignore[arg-type]
    try:
        found = read(verified, hook_signs=False, course_id="calculus", project_id=15, now=NOW)
    except Refused as refusal:
        assert refusal.status == 400
    else:
        assert isinstance(found, NotOurs) or (found.ref, found.commit) == (REF, COMMIT)
