from __future__ import annotations

from datetime import datetime, timezone

import pytest

from git_exchange.rules.archive import Archived, Index, bundle_file, dump, load

AT = datetime(2026, 11, 20, tzinfo=timezone.utc)


def index(*projects: Archived) -> Index:
    return Index("calculus", "https://forge.example", "teaching/calculus", 12, AT, "ada", "1.0", projects)


def project(number: int, path: str = "student-bo", *, empty: bool = False) -> Archived:
    refs = {} if empty else {"refs/heads/main": "a" * 40}
    file = "" if empty else bundle_file(number, path)
    return Archived(number, path, "bo", refs, file, "" if empty else "b" * 64, 0 if empty else 10, AT)


def test_an_index_comes_back_as_it_was_written() -> None:
    written = index(project(1, "a"), project(2, "b", empty=True))
    assert load(dump(written)) == written


def test_any_change_of_the_text_is_noticed() -> None:
    with pytest.raises(ValueError, match="checksum"):
        load(dump(index(project(1))).replace('"bo"', '"jo"'))


def test_two_projects_of_one_number_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        load(dump(index(project(1, "a"), project(1, "b"))))


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", "a\nb", "a..b"])
def test_a_name_that_could_lead_elsewhere_makes_no_file(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        bundle_file(1, name)
