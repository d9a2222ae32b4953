"""The file of hook keys: the newest key first, all valid until the old ones are dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.course.hook_keys import drop_old_hook_keys, new_hook_key, read_hook_keys
from git_exchange.errors import ConfigurationError
from git_exchange.rules.hook_secrets import derive


def test_a_new_key_makes_the_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    made = new_hook_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_hook_keys(path) == made
    assert len(made.keys) == len(made.fingerprints) == 1


def test_a_newer_key_comes_first_and_the_older_stays_valid(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first, second = new_hook_key(path), new_hook_key(path)
    assert second.keys[1:] == first.keys
    assert second.keys[0] != first.keys[0]
    assert read_hook_keys(path).secret(15) == derive(second.keys[0], 15)
    assert path.stat().st_mode & 0o777 == 0o600


def test_dropping_keeps_the_newest_key(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    new_hook_key(path)
    newest = new_hook_key(path).keys[0]
    assert drop_old_hook_keys(path).keys == (newest,)
    assert read_hook_keys(path).keys == (newest,)


def test_a_run_that_was_killed_before_it_wrote_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    with pytest.raises(ConfigurationError, match="holds no key"):
        read_hook_keys(path)
    assert len(new_hook_key(path).keys) == 1


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    new_hook_key(path)
    before = path.read_bytes()
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="Other users") as error:
        read_hook_keys(path)
    assert "chmod 600" in error.value.hint
    with pytest.raises(ConfigurationError, match="Other users"):
        new_hook_key(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"secret\n", b"\xff\xfe", b"AAAA\n", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_with_something_else_is_refused_and_not_written_to(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    path.write_bytes(content)
    for use in (read_hook_keys, new_hook_key, drop_old_hook_keys):
        with pytest.raises(ConfigurationError, match="not a file of hook keys"):
            use(path)
    assert path.read_bytes() == content


def test_an_absent_file_or_folder_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_hook_keys(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        new_hook_key(tmp_path / "none" / "keys")


def test_keys_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    keys = new_hook_key(tmp_path / "keys")
    assert repr(keys.keys[0]) not in repr(keys)
