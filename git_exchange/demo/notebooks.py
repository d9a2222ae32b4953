"""How the demo's students work: they fill in the cells that nbgrader left open, rightly or wrongly."""

from __future__ import annotations

from pathlib import Path

import nbformat

OPEN = "raise NotImplementedError()"
MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")


def answer_rightly(notebook: Path, solution: Path) -> None:
    """Fill in every open cell of ``notebook`` with what the instructor's own version of it says."""
    right = {
        cell.metadata.nbgrader.grade_id: "\n".join(
            line for line in cell.source.splitlines() if line.strip() not in MARKERS
        )
        for cell in nbformat.read(solution, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    _answer(notebook, right)


def answer_wrongly(notebook: Path) -> None:
    """Fill in every open code cell with something that runs and is wrong."""
    _answer(notebook, {})


def _answer(notebook: Path, right: dict[str, str]) -> None:
    document = nbformat.read(notebook, as_version=4)
    for cell in document.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("solution"):
            cell.source = right.get(about["grade_id"], _wrong(cell.source))
    nbformat.write(document, notebook)


def _wrong(source: str) -> str:
    """Return the open cell so that it runs: functions return -1, what stands outside of them does nothing."""
    lines = [
        line.replace(OPEN, "return -1" if line.startswith((" ", "\t")) else "pass") for line in source.splitlines()
    ]
    return "\n".join(lines)
