"""nbgrader's own tests, from the installed nbgrader, against our classes. ``upstream`` says which of them run how."""

from __future__ import annotations

from nbgrader.tests.apps.test_api import TestNbGraderAPI as _Api
from nbgrader.tests.apps.test_nbgrader_collect import TestNbGraderCollect as _Collect
from nbgrader.tests.apps.test_nbgrader_fetch_assignment import TestNbGraderFetch as _FetchAssignment
from nbgrader.tests.apps.test_nbgrader_fetchfeedback import TestNbGraderFetchFeedback as _FetchFeedback
from nbgrader.tests.apps.test_nbgrader_list import TestNbGraderList as _List
from nbgrader.tests.apps.test_nbgrader_releaseassignment import TestNbGraderRelease as _ReleaseAssignment
from nbgrader.tests.apps.test_nbgrader_releasefeedback import TestNbGraderReleaseFeedback as _ReleaseFeedback
from nbgrader.tests.apps.test_nbgrader_submit import TestNbGraderSubmit as _Submit


class TestReleaseAssignment(_ReleaseAssignment):
    suite = "release_assignment"


class TestFetchAssignment(_FetchAssignment):
    suite = "fetch_assignment"


class TestSubmit(_Submit):
    suite = "submit"


class TestCollect(_Collect):
    suite = "collect"


class TestList(_List):
    suite = "list"


class TestReleaseFeedback(_ReleaseFeedback):
    suite = "release_feedback"


class TestFetchFeedback(_FetchFeedback):
    suite = "fetch_feedback"


class TestApi(_Api):
    suite = "api"
