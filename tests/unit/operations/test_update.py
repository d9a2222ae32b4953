"""Updating a folder to a newer release. The cases are those of ``docs/explanation/updated-releases.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from shutil import rmtree

import pytest

from git_exchange.course.releases import find_release
from git_exchange.course.seats import my_seat
from git_exchange.errors import FilesError
from git_exchange.operations import update as updating
from git_exchange.operations.due_date import announce_due
from git_exchange.operations.fetch import fetch
from git_exchange.operations.release import release, withdraw
from git_exchange.operations.submit import prepare, submit
from git_exchange.operations.update import News, Updated
from git_exchange.rules.update import beside
from git_exchange.settings import Settings
from tests.unit.school import RULES, School

FIRST = {"p1.ipynb": "question", "p2.ipynb": "second question", "data/x.csv": "1,2"}
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "updated-releases.md"


@dataclass
class Desk:
    """A course whose assignment was released once and fetched by ann."""

    school: School

    def release(self, **changes: str | None) -> None:
        """Release the first version with other contents; None leaves a file out. Double underscores are dots."""
        files = FIRST | {name.replace("__", "."): text for name, text in changes.items() if text is not None}
        for name in (name.replace("__", ".") for name, text in changes.items() if text is None):
            del files[name]
        folder = self.school.folder("release", files)
        release(self.school.course(), "ps1", folder, RULES, force=True)

    @property
    def folder(self) -> Path:
        return self.school.place / "ann" / "ps1"

    def fetch(self) -> None:
        course = self.school.course("ann")
        fetch(course, find_release(course, "ps1"), self.folder)

    def update(self) -> Updated:
        course = self.school.course("ann")
        return updating.update(course, find_release(course, "ps1"), self.folder, listener=self.school.listen)

    def news(self) -> News | None:
        course = self.school.course("ann")
        return updating.news(course, find_release(course, "ps1"), self.folder)

    def work(self, name: str, text: str = "my answer") -> None:
        (self.folder / name).write_text(text)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def forget(self) -> None:
        """Lose what this machine remembers: another machine, or an emptied cache."""
        settings: Settings = self.school.settings("ann")
        rmtree(settings.cache_dir)


@pytest.fixture
def desk(school: School) -> Iterator[Desk]:
    school.open("ann")
    desk = Desk(school)
    desk.release()
    desk.fetch()
    yield desk


def test_a_file_that_the_release_adds_comes(desk: Desk) -> None:
    desk.release(hint__txt="look at chapter 2")
    assert desk.news() is not None
    assert desk.update().added == ("hint.txt",)
    assert desk.text("hint.txt") == "look at chapter 2"
    assert desk.news() is None


def test_a_file_that_only_the_release_changed_is_replaced(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p2__ipynb="clearer question")
    assert desk.update().replaced == ("p2.ipynb",)
    assert desk.text("p2.ipynb") == "clearer question"
    assert desk.text("p1.ipynb") == "my answer"


def test_a_file_that_both_changed_is_kept_and_the_newer_one_is_put_beside_it(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p1__ipynb="clearer question")
    ((path, copy),) = desk.update().beside
    assert path == "p1.ipynb"
    assert re.fullmatch(r"p1\.release-\d{8}-\d{6}\.ipynb", copy)
    assert desk.text("p1.ipynb") == "my answer"
    assert desk.text(copy) == "clearer question"
    assert desk.news() is None


def test_a_file_that_only_you_changed_is_kept(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p2__ipynb="clearer question")
    assert desk.update().beside == ()
    assert desk.text("p1.ipynb") == "my answer"


def test_a_file_of_yours_where_the_release_has_a_new_one_is_kept(desk: Desk) -> None:
    desk.work("hint.txt", "my notes")
    desk.release(hint__txt="look at chapter 2")
    ((_, copy),) = desk.update().beside
    assert desk.text("hint.txt") == "my notes"
    assert desk.text(copy) == "look at chapter 2"


def test_a_file_that_the_release_no_longer_has_stays(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p1__ipynb=None, p2__ipynb=None, p3__ipynb="third question")
    updated = desk.update()
    assert (updated.added, updated.left) == (("p3.ipynb",), ("p2.ipynb",))
    assert desk.text("p2.ipynb") == "second question"
    assert desk.text("p1.ipynb") == "my answer"


def test_a_file_that_you_removed_stays_away(desk: Desk) -> None:
    (desk.folder / "p2.ipynb").unlink()
    desk.release(p1__ipynb="clearer question", p2__ipynb="clearer, too")
    updated = desk.update()
    assert updated == Updated(updated.released, replaced=("p1.ipynb",))
    assert not (desk.folder / "p2.ipynb").exists()


def test_a_folder_or_a_link_in_the_way_is_left_alone(desk: Desk) -> None:
    outside = desk.school.folder("outside", {"x.csv": "mine"})
    rmtree(desk.folder / "data")
    (desk.folder / "data").symlink_to(outside)
    (desk.folder / "hint.txt").mkdir()
    desk.release(hint__txt="look at chapter 2", **{"data/x.csv": "3,4"})
    updated = desk.update()
    assert [path for path, _ in updated.beside] == ["hint.txt"]
    assert len(updated.refused) == 1
    assert sorted(path.name for path in outside.iterdir()) == ["x.csv"]
    assert (outside / "x.csv").read_text() == "mine"


def test_a_second_newer_release_is_put_beside_as_well(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p1__ipynb="clearer question")
    ((_, first),) = desk.update().beside
    later = beside("p1.ipynb", datetime.now(timezone.utc) + timedelta(days=1))
    (desk.folder / first).rename(desk.folder / later)  # so that both are not made within one second
    desk.release(p1__ipynb="clearest question")
    ((_, second),) = desk.update().beside
    assert desk.text(later) == "clearer question"
    assert desk.text(second) == "clearest question"
    desk.release(p1__ipynb="clearest question", p2__ipynb="clearer, too")
    assert desk.update().beside == ()


def test_an_interrupted_update_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.work("p2.ipynb")
    desk.release(p1__ipynb="clearer question", p2__ipynb="clearer, too")
    real, written = updating.replace.write_file, []

    def fail_at_the_second(path: Path, chunks: Iterator[bytes]) -> None:
        if written:
            raise FilesError("The disk is full.")
        written.append(path)
        real(path, chunks)

    monkeypatch.setattr(updating.replace, "write_file", fail_at_the_second)
    with pytest.raises(FilesError):
        desk.update()
    monkeypatch.setattr(updating.replace, "write_file", real)
    assert desk.news() is not None
    updated = desk.update()
    assert (updated.replaced, [path for path, _ in updated.beside]) == ((), ["p2.ipynb"])
    assert desk.text("p1.ipynb") == "clearer question"


def test_a_new_due_date_alone_is_no_newer_version(desk: Desk) -> None:
    course = desk.school.course()
    due = datetime(2026, 12, 1, 10, tzinfo=timezone.utc)
    assert announce_due(course, find_release(course, "ps1"), due, listener=desk.school.listen)
    assert "from none to 2026-12-01 10:00 UTC; students now see the new one" in desk.school.heard()
    seen = find_release(desk.school.course("ann"), "ps1")
    assert (seen.due, seen.notebooks) == (due, ("p1.ipynb", "p2.ipynb"))
    assert desk.news() is None
    desk.forget()
    assert desk.news() is None
    assert not announce_due(desk.school.course(), find_release(desk.school.course(), "ps1"), due)


def test_an_assignment_that_was_taken_back_and_released_again_is_compared_with_both(desk: Desk) -> None:
    withdraw(desk.school.course(), "ps1")
    desk.release(p1__ipynb="clearer question")
    assert desk.update().replaced == ("p1.ipynb",)


def test_what_lies_beside_your_work_is_not_submitted(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p1__ipynb="clearer question")
    ((_, copy),) = desk.update().beside
    course = desk.school.course("ann")
    prepared = prepare(course, my_seat(course), "ps1", desk.folder, RULES, listener=desk.school.listen)
    assert prepared.notebooks.extra == ()
    assert f"Not submitted: '{copy}'" in desk.school.heard()
    submit(course, prepared)
    desk.school.collect()
    assert sorted(path.name for path in desk.school.submitted("ann").glob("*.ipynb")) == ["p1.ipynb", "p2.ipynb"]


def test_a_folder_whose_release_is_not_known_is_updated_by_its_contents(desk: Desk) -> None:
    desk.work("p1.ipynb")
    desk.release(p1__ipynb="clearer question", p2__ipynb="clearer, too")
    desk.forget()
    updated = desk.update()
    assert (updated.replaced, [path for path, _ in updated.beside]) == (("p2.ipynb",), ["p1.ipynb"])
    desk.forget()
    assert desk.news() is None


def test_a_folder_that_was_fetched_after_the_newer_release_is_new_whatever_you_do_in_it(desk: Desk) -> None:
    desk.release(p1__ipynb="clearer question")
    rmtree(desk.folder)
    desk.fetch()
    desk.work("p1.ipynb")
    assert desk.news() is None


def test_without_a_folder_there_is_nothing_to_update(desk: Desk) -> None:
    rmtree(desk.folder)
    with pytest.raises(FilesError, match="fetch_assignment ps1"):
        desk.update()


def test_every_case_of_the_page_has_a_test_of_its_name() -> None:
    cases = re.findall(r"^### (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(cases) >= 10
    for case in cases:
        assert f"test_{re.sub(r'[^a-z0-9]+', '_', case.lower())}" in globals()
