"""The README's commands and configurations, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_the_first_command_runs_the_demo() -> None:
    demo = next(block for block in blocks("sh") if "git-exchange demo" in block)
    # tests/demo runs it; a fresh installation is made by the CI script and by hand.
    assert demo.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert demo.split("&&")[-1].strip() == ".venv/bin/git-exchange demo"


def test_the_second_command_is_the_one_that_ci_calls() -> None:
    command = next(block for block in blocks("sh") if "pytest" in block)
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert "sudo" not in command
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("block", blocks("python"))
def test_the_configurations_are_python_that_nbgrader_can_load(block: str) -> None:
    from traitlets.config import Config

    config = Config()
    exec(compile(block, "README.md", "exec"), {"get_config": lambda: config})
    assert config.GitExchange.namespace == "teaching"
    assert config.CourseDirectory.course_id == "calculus"


def test_the_roster_in_the_readme_is_one_that_roster_apply_reads(tmp_path: Path) -> None:
    from git_exchange.provisioning.sources.csv_file import read_csv

    (tmp_path / "roster.csv").write_text(blocks("csv")[0])
    people = read_csv(tmp_path / "roster.csv").people
    assert [person.role for person in people] == ["instructor", "student", "student", "grader"]


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
