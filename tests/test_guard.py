"""The guard itself: a guard that does not bite protects nothing."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests import guard


@pytest.fixture
def real_home() -> Path:
    import pwd

    return Path(pwd.getpwuid(os.getuid()).pw_dir)


def test_the_real_home_cannot_be_written(real_home: Path) -> None:
    with pytest.raises(guard.GuardViolation):
        (real_home / "git-exchange-was-here").open("w")
    guard.violations.clear()


def test_the_real_git_configuration_cannot_be_read(real_home: Path) -> None:
    with pytest.raises(guard.GuardViolation):
        (real_home / ".gitconfig").open()
    guard.violations.clear()


def test_an_address_off_loopback_cannot_be_reached() -> None:
    with socket.socket() as plug, pytest.raises(guard.GuardViolation):
        plug.connect(("192.0.2.1", 80))
    guard.violations.clear()


def test_a_real_server_that_is_named_for_the_tests_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "192.0.2.7" not in guard._named_addresses()
    monkeypatch.setenv("GIT_EXCHANGE_TEST_GITLAB_URL", "https://192.0.2.7:8443/gitlab")
    assert "192.0.2.7" in guard._named_addresses()


def test_programs_that_tests_start_have_another_home_and_no_global_git_configuration(real_home: Path) -> None:
    home = subprocess.run(["sh", "-c", "echo $HOME"], capture_output=True, text=True, check=True).stdout.strip()
    assert home != str(real_home)
    listed = subprocess.run(["git", "config", "--global", "--list"], capture_output=True, text=True, check=False)
    assert listed.stdout == ""
