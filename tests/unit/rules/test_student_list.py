from __future__ import annotations

import pytest

from git_exchange.rules.student_list import parse


@pytest.mark.parametrize(
    "content",
    [
        b"ann\nben\n",
        b"\xef\xbb\xbfann\r\nben\r\n",
        b"# group 1\n\n  ann  \n\t# later\nben\nann\n",
        b"student_id\nann\nben\n",
        b"\xef\xbb\xbfemail,Student_ID,role\na@example.edu,ann,student\nb@example.edu,ben,student\n",
        b'student_id;name\nann;"A; L."\nben;B\n',
        b"name\tstudent_id\nA\tann\nB\tben\n",
    ],
)
def test_a_list_is_one_id_a_line_or_a_column_of_a_csv_file(content: bytes) -> None:
    assert parse(content) == ("ann", "ben")


def test_an_id_may_hold_commas_and_spaces_in_a_plain_list() -> None:
    assert parse(b"Ann, L.\nben b\n") == ("Ann, L.", "ben b")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "names no student"),
        (b"# nobody\n", "names no student"),
        (b"student_id\n", "names no student"),
        (b"\xff\xfe", "not UTF-8"),
        (b"role,student_id\nstudent,ann\nstudent\n", "entry 2"),
    ],
)
def test_a_list_that_would_leave_somebody_out_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(content)
