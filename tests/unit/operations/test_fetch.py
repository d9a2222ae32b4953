from __future__ import annotations

from git_exchange.course.releases import find_release
from git_exchange.operations.fetch import fetch
from git_exchange.operations.release import release
from tests.unit.school import RULES, School


def test_a_file_where_a_folder_was_released_does_not_stop_the_others_from_coming_back(school: School) -> None:
    school.open("ann")
    folder = school.folder("release", {"a.ipynb": "a", "data/x.csv": "x", "data/deep/y.csv": "y", "z.ipynb": "z"})
    release(school.course(), "ps1", folder, RULES)
    mine = school.folder("mine", {"data": "I needed the name"})
    course = school.course("ann")
    fetched = fetch(course, find_release(course, "ps1"), mine, missing_only=True, listener=school.listen)
    assert fetched.written == ("a.ipynb", "z.ipynb")
    assert (mine / "data").read_text() == "I needed the name"
    assert "data/x.csv" in school.heard()
