from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from git_exchange.errors import FilesError, NotStaff
from git_exchange.events import Event, Progress
from git_exchange.operations import export as exporting
from git_exchange.operations.export import export
from git_exchange.operations.verify import verify
from git_exchange.report import Report
from git_exchange.rules import archive
from tests.unit.school import School


@pytest.fixture
def folder(school: School, tmp_path: Path) -> Path:
    school.open("ann", "ben")
    school.release()
    school.submit("ann", "x = 1")
    place = tmp_path / "archive"
    assert not export(school.course(), place).report.failed
    return place


def failures(report: Report) -> dict[str, str]:
    return {outcome.subject: outcome.detail for outcome in report.failed}


def bundle(folder: Path, path: str) -> Path:
    index = archive.load((folder / "index.json").read_text())
    return folder / next(one.file for one in index.projects if one.path == path)


def test_a_sound_archive_verifies(folder: Path) -> None:
    done = verify(folder)
    assert done.report.counts == {"ok": 4}
    assert done.index.course_id == "calculus"


def test_one_flipped_bit_is_found(folder: Path) -> None:
    file = bundle(folder, "student-ann")
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    assert "SHA-256 differs" in failures(verify(folder).report)["student-ann"]


def test_a_flipped_bit_is_found_by_unpacking_even_if_the_index_was_made_to_fit(folder: Path) -> None:
    file = bundle(folder, "student-ann")
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    record = json.loads((folder / "index.json").read_text())
    (one,) = [one for one in record["projects"] if one["path"] == "student-ann"]
    one["sha256"] = exporting.sha256_of(file)
    reseal(folder, record)
    assert "unpack" in failures(verify(folder).report)["student-ann"]


def test_a_bundle_swapped_for_another_students_is_found_by_its_branches(folder: Path) -> None:
    record = json.loads((folder / "index.json").read_text())
    by_path = {one["path"]: one for one in record["projects"]}
    ann, ben = by_path["student-ann"], by_path["student-ben"]
    (folder / ann["file"]).write_bytes((folder / ben["file"]).read_bytes())
    ann["sha256"], ann["size"] = ben["sha256"], ben["size"]
    reseal(folder, record)
    assert "other branches" in failures(verify(folder).report)["student-ann"]


def test_a_missing_bundle_and_an_extra_file_are_named(folder: Path) -> None:
    bundle(folder, "student-ben").unlink()
    (folder / "bundles" / "stray.txt").write_text("?")
    found = failures(verify(folder).report)
    assert "is missing" in found["student-ben"]
    assert found["bundles/stray.txt"] == "a file that is not in the index"


def test_a_changed_index_is_refused(folder: Path) -> None:
    file = folder / "index.json"
    file.write_text(file.read_text().replace('"ann"', '"eve"'))
    with pytest.raises(FilesError, match="checksum does not fit"):
        verify(folder)


def test_a_forged_index_is_refused_by_who_knows_its_checksum(folder: Path) -> None:
    known = verify(folder).checksum
    record = json.loads((folder / "index.json").read_text())
    record["by"] = "somebody-else"
    reseal(folder, record)
    assert not verify(folder).report.failed
    with pytest.raises(FilesError, match="not the one that was expected"):
        verify(folder, expected=known)


def test_a_path_that_leads_out_of_the_archive_is_refused(folder: Path) -> None:
    record = json.loads((folder / "index.json").read_text())
    record["projects"][0]["file"] = "bundles/../../elsewhere.bundle"
    reseal(folder, record)
    with pytest.raises(FilesError, match="not what an archive has"):
        verify(folder)


def test_a_project_that_cannot_be_read_does_not_stop_the_others(
    school: School, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = exporting.ls_remote

    def broken(git: object, url: str, prefixes: list[str]) -> dict[str, str]:
        if "student-ann" in url:
            raise exporting.HostileRepository("fsck said no")
        return original(git, url, prefixes)  # type: ignore[arg-type]

    monkeypatch.setattr(exporting, "ls_remote", broken)
    done = export(school.course(), tmp_path / "other")
    assert done.report.counts == {"exported": 3, "failed": 1}
    assert failures(done.report) == {"student-ann": str(exporting.HostileRepository("fsck said no"))}
    monkeypatch.undo()
    assert export(school.course(), tmp_path / "other").report.counts == {"unchanged": 3, "exported": 1}


def test_an_empty_project_stands_in_the_index_without_a_bundle(school: School, folder: Path) -> None:
    group = school.course().group()
    body = {"path": "student-eve", "name": "student-eve", "namespace_id": group.id, "initialize_with_readme": False}
    requests.post(
        f"{school.url}/api/v4/projects", json=body, headers={"PRIVATE-TOKEN": school.admin.value}, timeout=20
    ).raise_for_status()
    assert export(school.course(), folder).report.counts == {"unchanged": 4, "empty": 1}
    record = json.loads((folder / "index.json").read_text())
    (eve,) = [one for one in record["projects"] if one["path"] == "student-eve"]
    assert (eve["empty"], eve["file"], eve["refs"]) == (True, None, {})
    assert verify(folder).report.counts == {"ok": 4, "empty": 1}


def test_what_an_interrupted_export_has_written_is_not_fetched_again(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open("ann", "ben")
    monkeypatch.setattr(exporting, "SAVE_EVERY", 0.0)
    place = tmp_path / "archive"

    def interrupt(event: Event | Progress) -> None:
        if isinstance(event, Progress) and event.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(school.course(), place, listener=interrupt)
    again = export(school.course(), place)
    assert again.report.counts["unchanged"] >= 1
    assert verify(place).report.counts == {"ok": 4}


def test_another_course_does_not_get_into_the_folder(school: School, folder: Path) -> None:
    school.open(course_id="algebra")
    with pytest.raises(FilesError, match="holds another course"):
        export(school.course(course_id="algebra"), folder)


def test_only_staff_export(school: School, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotStaff):
        export(school.course("ann"), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def reseal(folder: Path, record: dict[str, object]) -> None:
    """Write an index that somebody has tampered with and given a fitting checksum."""
    record.pop("sha256", None)
    (folder / "index.json").write_text(json.dumps({**record, "sha256": archive._seal(record)}))
