"""``git-exchange demo``, which the README runs first, and its options."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from git_exchange.devserver import RunningServer
from tests import realforge

PROGRAM = str(Path(sys.executable).parent / "git-exchange")


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "demo", *options], capture_output=True, text=True, timeout=280, check=False)


def test_the_demo_checks_all_and_what_is_kept_can_be_explored_on_the_same_address_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    done = demo("--keep", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"All checked in \d+ s\.", done.stdout)
    assert list(tmp_path.iterdir()) == [kept]
    (port,) = re.findall(r"git-exchange devserver --port (\d+) --state", done.stdout)
    assert (kept / "people" / "ada" / "work" / "demo101" / "gradebook.db").exists()
    with sqlite3.connect(kept / "people" / "ada" / "work" / "demo101" / "gradebook.db") as gradebook:
        assert gradebook.execute("select count(*) from student").fetchone() == (2,)
    with RunningServer(kept / "server", port=int(port)) as server:
        header = {"Authorization": f"Bearer {(kept / 'people' / 'ada' / 'token').read_text().strip()}"}
        found = requests.get(f"{server.url}/api/v4/projects/courses%2Fdemo101%2Fstudent-bo", headers=header, timeout=10)
        assert found.status_code == 200
    secrets = [path.read_text().strip() for path in kept.glob("people/*/token")]
    assert len(secrets) == 5
    assert not [secret for secret in secrets if secret in done.stdout + done.stderr]
    assert all((path.stat().st_mode & 0o077) == 0 for path in kept.glob("people/*/token"))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--forge", "http://127.0.0.1:9"], "--token-file"),
        (["--students", "2"], "--students"),
        (["--keep", "."], "--keep"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_starts(
    options: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").touch()
    done = demo(*options)
    assert done.returncode == 2
    assert named in done.stderr


def test_a_forge_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abcdef")
    done = demo("--forge", "http://127.0.0.1:9", "--token-file", str(tmp_path / "token"))
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


if realforge.available():

    def test_the_demo_holds_on_a_real_gitea_or_forgejo(tmp_path: Path) -> None:
        with realforge.running(tmp_path / "forge") as forge:
            (tmp_path / "token").write_text(forge.token)
            done = demo("--forge", forge.url, "--token-file", str(tmp_path / "token"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "All checked" in done.stdout
        assert forge.token not in done.stdout + done.stderr
