from __future__ import annotations

import pytest

from git_exchange.errors import (
    CacheCorrupt,
    GitError,
    HostileRepository,
    RefMissing,
    RemoteDenied,
    RemoteUnreachable,
    SignInRefused,
)
from git_exchange.transport.failures import Untrustworthy, escape, failure, server_words, shown

URL = "https://user:pw@forge.example.edu/teaching/ps.git"


def _remote(stderr: str, **options: object) -> GitError:
    return failure("fetch", stderr.encode(), status=128, remote=True, operands=[URL], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("fatal: couldn't find remote ref refs/heads/x", RefMissing),
        ("fatal: could not read Username for 'https://forge': terminal prompts disabled", SignInRefused),
        ("fatal: Authentication failed for 'https://forge/'", SignInRefused),
        ("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://forge/'", SignInRefused),
        ("fatal: unable to access 'https://f/': The requested URL returned error: 403", RemoteDenied),
        ("fatal: repository 'https://f/x.git/' not found", RemoteDenied),
        ("fatal: remote error: upload-pack: not our ref", RemoteDenied),
        ("fatal: unable to access 'https://f/': The requested URL returned error: 502", RemoteUnreachable),
        ("fatal: unable to access 'https://f/': The requested URL returned error: 302", RemoteUnreachable),
        ("fatal: unable to access 'https://f/': Could not resolve host: f", RemoteUnreachable),
        ("fatal: unable to access 'https://f/': server certificate verification failed", RemoteUnreachable),
        ("fatal: unable to access 'https://f/': Failed to connect to f: Permission denied", RemoteUnreachable),
        ("error: RPC failed; curl 28 Operation too slow.\nfatal: early EOF", RemoteUnreachable),
        ("fatal: fetch-pack: unexpected disconnect while reading sideband packet", RemoteUnreachable),
        ("error: object 0123456789012345678901234567890123456789: hasDotgit: contains '.git'", HostileRepository),
        ("fatal: fsck error in packed object", HostileRepository),
        ("fatal: attempting to allocate 700000001 over limit 629145600\nfatal: early EOF", HostileRepository),
        (
            "remote: aborting due to possible repository corruption on the remote side.\n"
            "fatal: protocol error: bad pack header",
            HostileRepository,
        ),
        ("fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output", CacheCorrupt),
        ("error: cannot lock ref 'refs/forge/x': Unable to create '/c/x.lock': File exists.", CacheCorrupt),
        ("fatal: not a git repository: '/c/x.git'", CacheCorrupt),
        ("fatal: pack has 3 unresolved deltas\nfatal: fetch-pack: invalid index-pack output", Untrustworthy),
        ("something new", GitError),
        ("", GitError),
    ],
)
def test_messages_of_remote_commands_become_the_right_error(stderr: str, kind: type[GitError]) -> None:
    assert type(_remote(stderr)) is kind


@pytest.mark.parametrize(
    "line",
    [
        "fsck error",
        "fatal: fsck error in packed object",
        "Authentication failed",
        "couldn't find remote ref x",
        "hung up",
    ],
)
def test_the_server_s_words_decide_nothing(line: str) -> None:
    assert type(_remote(f"remote: {line}")) is GitError


def test_local_damage_is_told_from_other_failures() -> None:
    assert isinstance(failure("log", b"fatal: bad object 1234", status=128, remote=False), CacheCorrupt)
    assert type(failure("log", b"fatal: unrecognized argument: -x", status=128, remote=False)) is GitError
    assert type(failure("log", b"", status=128, remote=False)) is GitError


def test_messages_hold_no_path_of_this_machine_and_no_credentials() -> None:
    text = f"fatal: unable to access '{URL}/': trouble in /home/alice/.cache/x and C:/Users/alice/x with s3cret"
    said = str(_remote(text, secrets=["s3cret"]))
    assert "forge.example.edu/teaching/ps" in said
    for hidden in ("user", "pw@", "/home", "alice", "s3cret"):
        assert hidden not in said.replace("Users", "")


def test_messages_stay_short_and_on_one_line() -> None:
    said = str(_remote("fatal: strange\nthing \x1b[31m " + "x" * 10_000))
    assert len(said) < 1_000
    assert "\n" not in said
    assert "\x1b" not in said


def test_words_of_the_server_are_cleaned_of_decoration_and_escaped() -> None:
    text = "fatal: x\nremote: \nremote: ====\nremote: GitLab: no\x07\u202e \nremote:   more\nTo http://x"
    assert server_words(text) == "GitLab: no\\x07\\u202e\nmore"


def test_escaping_keeps_text_and_new_lines() -> None:
    assert escape("Grüße, 世界\nx") == "Grüße, 世界\nx"
    assert escape("\x00\x1b\x9b\u2066\ud800") == "\\x00\\x1b\\x9b\\u2066\\ud800"


def test_an_address_is_shown_without_credentials() -> None:
    assert shown(URL) == "forge.example.edu/teaching/ps"
