"""The index of a course's archive: which projects, which branches at which commits, which files with which checksums.

Knows the format of ``index.json``, in both directions, and what a sound one looks like. No I/O.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from git_exchange.rules import times

INDEX = "index.json"
README = "README.txt"
BUNDLES = "bundles"
_FORMAT = 1
_FILE = re.compile(rf"{BUNDLES}/[0-9]+-[A-Za-z0-9][A-Za-z0-9._-]*\.bundle")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Archived:
    """One project of the course.

    ``student_id`` is None for a project of the staff. ``refs`` maps full refs to object ids; without any the project
    was empty, and there is no bundle: ``file`` (relative, with a slash) and ``sha256`` are then empty too. ``at`` is
    when it was exported.
    """

    project_id: int
    path: str
    student_id: str | None
    refs: Mapping[str, str]
    file: str
    sha256: str
    size: int
    at: datetime


@dataclass(frozen=True)
class Index:
    """An archive: what it holds, from where, by whom (user name) and with which version of git-exchange."""

    course_id: str
    forge: str
    group_path: str
    group_id: int
    at: datetime
    by: str
    tool: str
    projects: tuple[Archived, ...] = field(default=())


def bundle_file(project_id: int, name: str) -> str:
    """Return where the bundle of a project lies in the archive. Raise ValueError for a name that no file may have."""
    file = f"{BUNDLES}/{project_id}-{name}.bundle"
    if _FILE.fullmatch(file) is None or ".." in name:
        raise ValueError(f"not the name of a project: {name!r}")
    return file


def dump(index: Index) -> str:
    """Return the index as JSON, sealed by a checksum of itself."""
    record = _record(index)
    return json.dumps({**record, "sha256": _seal(record)}, indent=1, sort_keys=True) + "\n"


def load(text: str) -> Index:
    """Return the index. Raise ValueError that says what is wrong with it, also if its own checksum does not fit."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise ValueError("it is not an index of this format")
    seal = record.pop("sha256", None)
    if seal != _seal(record):
        raise ValueError("its own checksum does not fit: it was changed or is damaged")
    try:
        index = Index(
            course_id=str(record["course"]),
            forge=str(record["forge"]),
            group_path=str(record["group"]),
            group_id=int(record["group_id"]),
            at=times.parse_iso(record["at"]),
            by=str(record["by"]),
            tool=str(record["tool"]),
            projects=tuple(_archived(one) for one in record["projects"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a field is missing or has the wrong type") from error
    files = [one.file for one in index.projects if one.file]
    if len(set(files)) < len(files) or len({one.project_id for one in index.projects}) < len(index.projects):
        raise ValueError("a project or a file occurs twice")
    return index


def _record(index: Index) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "course": index.course_id,
        "forge": index.forge,
        "group": index.group_path,
        "group_id": index.group_id,
        "at": times.isoformat(index.at),
        "by": index.by,
        "tool": index.tool,
        "projects": [
            {
                "project_id": one.project_id,
                "path": one.path,
                "student_id": one.student_id,
                "refs": dict(one.refs),
                "empty": not one.refs,
                "file": one.file or None,
                "sha256": one.sha256 or None,
                "size": one.size,
                "at": times.isoformat(one.at),
            }
            for one in sorted(index.projects, key=lambda one: one.path)
        ],
    }


def _archived(record: dict[str, Any]) -> Archived:
    refs = {str(ref): str(oid) for ref, oid in record["refs"].items()}
    file, checksum = record["file"] or "", record["sha256"] or ""
    if any(_OID.fullmatch(oid) is None or not ref.startswith("refs/") for ref, oid in refs.items()):
        raise ValueError("a branch is not at a commit")
    if bool(refs) != bool(file) or bool(refs) != bool(checksum):
        raise ValueError("a project has branches and no bundle, or a bundle and no branches")
    if file and (_FILE.fullmatch(file) is None or ".." in file or _SHA256.fullmatch(checksum) is None):
        raise ValueError("a file or checksum is not what an archive has")
    return Archived(
        project_id=int(record["project_id"]),
        path=str(record["path"]),
        student_id=None if record["student_id"] is None else str(record["student_id"]),
        refs=refs,
        file=file,
        sha256=checksum,
        size=int(record["size"]),
        at=times.parse_iso(record["at"]),
    )


def _seal(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
