"""Which way the packages may look, who may start processes, and who may know which library. Read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "git_exchange"

# Who may import whom; a package may always import itself. Values are for all.
VALUES = {"errors", "settings", "events", "report", "secret"}
MAY_IMPORT = {
    "errors": set(),
    "secret": set(),
    "events": set(),
    "report": set(),
    "settings": {"errors"},
    "rules": VALUES,
    "files": {"rules", *VALUES},
    "forge": {"rules", *VALUES},
    "transport": {"rules", "files", *VALUES},
    "gradebook": {"rules", *VALUES},
    "course": {"rules", "files", "forge", "transport", *VALUES},
    "operations": {"course", "gradebook", "rules", "files", "forge", "transport", *VALUES},
    "provisioning": {"operations", "course", "gradebook", "rules", "files", "forge", "transport", *VALUES},
    "collector": {"operations", "course", "gradebook", "rules", "files", "forge", "transport", *VALUES},
    "plugin": {"operations", "course", "gradebook", "rules", "files", "forge", "transport", *VALUES},
    "devserver": set(),
    "demo": {
        *{"plugin", "provisioning", "operations", "course", "gradebook", "rules", "files", "forge", "transport"},
        *{"devserver"},
        *VALUES,
    },
    "cli": {
        *{"demo", "devserver", "plugin", "collector", "provisioning", "operations", "course", "gradebook"},
        *{"rules", "files", "forge", "transport"},
        *VALUES,
    },
}
STARTS_PROCESSES = {"transport/command.py", "demo", "devserver", "collector/on_submission"}
LIBRARIES = {
    "nbgrader": {"plugin", "gradebook.py", "cli", "demo"},
    "traitlets": {"plugin", "gradebook.py", "cli", "demo"},
    "gitlab": {"forge/gitlab"},
    "rich": {"cli"},
    "click": {"cli"},
    "huey": {"collector"},
    "sqlalchemy": {"collector", "gradebook.py"},
    "prometheus_client": {"collector"},
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            module = node.module or ""
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem


def is_in(path: Path, places: set[str]) -> bool:
    relative = path.relative_to(ROOT).as_posix()
    return any(relative == place or relative.startswith(place + "/") for place in places)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_looks_only_down(path: Path) -> None:
    package = package_of(path)
    if package == "__init__":
        return
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("git_exchange.")} - {"__version__"}
    assert ours <= MAY_IMPORT[package] | {package}


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_processes_start_only_where_they_may(path: Path) -> None:
    starts = imported(path) & {"subprocess", "multiprocessing", "os.system", "os.popen", "asyncio.subprocess", "pty"}
    text = path.read_text(encoding="utf-8")
    calls = [name for name in ("os.system(", "os.popen(", "os.spawn", "os.exec", "tornado.process") if name in text]
    assert not (starts or calls) or is_in(path, STARTS_PROCESSES)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_library_is_used_behind_its_own_door(path: Path) -> None:
    for library, places in LIBRARIES.items():
        if any(name == library or name.startswith(library + ".") for name in imported(path)):
            assert is_in(path, places), f"{library} belongs in {places}"


def test_every_package_of_the_table_exists_and_every_package_stands_in_it() -> None:
    packages = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.stem for path in ROOT.glob("*.py")} - {"__init__"}
    assert packages | files == set(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_is_longer_than_one_person_holds_in_mind(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
