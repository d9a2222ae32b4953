"""All hostile submissions, by name."""

from __future__ import annotations

from tests.hostile import cases_names, cases_objects

CASES = [*cases_names.CASES, *cases_objects.CASES]
BY_NAME = {case.name: case for case in CASES}
