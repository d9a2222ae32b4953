from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.collector.config import read_config
from git_exchange.errors import ConfigurationError

GOOD = """
url = "https://git.example.edu/"
namespace = "teaching"
courses = ["calculus", "algebra"]
cache_dir = "cache"
[hooks]
public_url = "https://collector.example.edu"
keys_file = "keys"
[storage]
database = "sqlite:///inbox.db"
queue = "redis://127.0.0.1:6379/0"
[[collect]]
course = "calculus"
assignments = ["ps*"]
course_dir = "~/calculus"
seconds = 5
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "collector.toml"
    file.write_text(text)
    return file


def test_what_is_said_counts_and_files_are_relative_to_it(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, GOOD))
    assert found.settings.url == "https://git.example.edu"
    assert (found.courses, found.settings.cache_dir) == (("calculus", "algebra"), tmp_path / "cache")
    assert found.hooks.keys_file == tmp_path / "keys"
    (rule,) = found.collect
    assert (rule.course_dir, rule.assignments, rule.seconds) == (Path.home() / "calculus", ("ps*",), 5)
    assert (found.receiver.port, found.work.workers, found.sweep.seconds) == (8077, 2, 300.0)


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ('courses = ["calculus", "algebra"]', 'courses = "calculus"', "courses = 'calculus' must be a list of texts"),
        ('courses = ["calculus", "algebra"]', "courses = []", "names no course"),
        ('courses = ["calculus", "algebra"]', "courses = [1]", "courses"),
        ('url = "https://git.example.edu/"', "url = 5", "url = 5 must be a text"),
        ('url = "https://git.example.edu/"', 'url = "git.example.edu"', "not the address of a forge"),
        ('namespace = "teaching"', "", "lacks namespace"),
        ('cache_dir = "cache"', 'token = "glpat-x"', "unknown keys: token"),
        ('queue = "redis://127.0.0.1:6379/0"', "", "[storage] lacks queue"),
        ('keys_file = "keys"', "keys_file = true", "[hooks] keys_file = True must be a file's name"),
        ("seconds = 5", "seconds = true", "[collect] seconds"),
        ("seconds = 5", "second = 5", "[collect] has unknown keys: second"),
        ("[[collect]]", "[collect]", "Begin each with [[collect]]"),
        ("[hooks]", "hooks = 3\n[nothing]", "unknown keys: nothing"),
        ('namespace = "teaching"', "namespace = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, right: str, wrong: str, named: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigurationError) as failure:
        read_config(written(tmp_path, GOOD.replace(right, wrong)))
    assert named in str(failure.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"collector\.toml cannot be read"):
        read_config(tmp_path / "collector.toml")
