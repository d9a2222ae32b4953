"""Open edX's LTI 1.3 platform on loopback with SQLite, for one run of tests: ``python server.py FOLDER``.

FOLDER has ``tool.pem``, the tool's public key; ``ready.json`` appears in it. Runs in an interpreter that has Open edX's
package and nothing of ours. Only what an LMS around it would know (who is in a course) is made up here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

COURSE, CROWDED = "course-v1:Uni+calculus+2026", "course-v1:Uni+everybody+2026"
PEOPLE = (
    ("ada", "Ada Lovelace", ["instructor"]),
    ("tim", "Tim Berners", ["student", "Group Moderator"]),
    ("ann", "Ann B. & Sons", ["student"]),
    ("ben", "Ben Zimmermann", ["student"]),
    ("eve", "Eve N.", ["student"]),
)


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing."""


def configure(folder: Path, url: str) -> None:
    """Set Django up with the platform's applications alone."""
    import django
    from django.conf import settings
    from django.urls import include, path

    urls = ModuleType("platform_urls")
    sys.modules["platform_urls"] = urls
    settings.configure(
        SECRET_KEY="for one run of tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "platform.sqlite"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "sites")),
            *("waffle", "config_models", "rest_framework", "lti_consumer"),
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "crum.CurrentRequestUserMiddleware",
        ],
        ROOT_URLCONF="platform_urls",
        SITE_ID=1,
        FEATURES={},
        LMS_ROOT_URL=url,
        LMS_BASE=url.removeprefix("http://"),
        LTI_API_BASE=url,
        LEARNING_MICROFRONTEND_URL=url,
        USAGE_ID_PATTERN=r"(?P<usage_id>(?:i4x://?[^/]+/[^/]+/[^/]+/[^@]+(?:@[^/]+)?)|(?:[^/]+))",
        COURSE_ID_PATTERN=r"(?P<course_id>[^/+]+(/|\+)[^/+]+(/|\+)[^/?]+)",
        USE_TZ=True,
    )
    django.setup()
    urls.urlpatterns = [path("api/", include("lti_consumer.plugin.urls"))]  # type: ignore[attr-defined]


def know_people() -> None:
    """Stand in for the LMS around the platform: who is in which course."""
    from lti_consumer.exceptions import LtiError
    from lti_consumer.plugin import compat, views

    members = {
        number: {"id": number, "username": name, "email": f"{name}@uni.example", "name": shown, "roles": list(roles)}
        for number, (name, shown, roles) in enumerate(PEOPLE, 1)
    }

    def get_course_members(course_key: object) -> dict[int, dict[str, Any]]:
        if str(course_key) == CROWDED:
            raise LtiError("too many members")
        return {number: dict(member) for number, member in members.items()}

    compat.get_course_members = get_course_members
    compat.load_enough_xblock = lambda location: SimpleNamespace(
        lti_1p3_passport_id=None, display_name="roster", location=location
    )
    compat.merge_course_forum_roles = lambda course_key, found: found
    compat.batch_get_or_create_externalids = lambda users: {
        number: SimpleNamespace(external_user_id=f"external-{number}") for number in members
    }
    views.get_lti_pii_sharing_state_for_course = lambda course_key: True
    # The accounts' profiles are the LMS's, too.
    views.get_user_model = lambda: SimpleNamespace(objects=_NoProfiles())


class _NoProfiles:
    def prefetch_related(self, *names: str) -> _NoProfiles:
        return self

    def filter(self, **wanted: object) -> list[object]:
        return []


def register(public_key: str, course: str) -> dict[str, str]:
    """Register the tool in a course, and return what the LMS's form would show."""
    from lti_consumer.models import Lti1p3Passport, LtiConfiguration
    from opaque_keys.edx.keys import UsageKey

    passport = Lti1p3Passport.objects.create(name="git-exchange", lti_1p3_tool_public_key=public_key)
    config = LtiConfiguration.objects.create(
        location=UsageKey.from_string(f"{course.replace('course-v1', 'block-v1')}+type@lti_consumer+block@roster"),
        version="lti_1p3",
        config_store="CONFIG_ON_DB",
        lti_1p3_passport=passport,
        lti_advantage_enable_nrps=True,
        lti_advantage_ags_mode="programmatic",
        lti_1p3_launch_url="https://tool.example",
        lti_1p3_oidc_url="https://tool.example",
    )
    return {
        "client_id": passport.lti_1p3_client_id,
        "token": f"/api/lti_consumer/v1/token/{passport.passport_id}",
        "memberships": f"/api/lti_consumer/v1/lti/{config.id}/memberships",
        "context_id": course,
    }


def main(folder: Path) -> None:
    """Serve until the process is ended."""
    # The address is part of the settings, and the settings come before the application.
    server = WSGIServer(("127.0.0.1", 0), Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    configure(folder, url)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    server.set_app(get_wsgi_application())
    call_command("migrate", verbosity=0)
    know_people()
    key = (folder / "tool.pem").read_text()
    ready = {"url": url, "course": register(key, COURSE), "crowded": register(key, CROWDED)}
    (folder / "ready.part").write_text(json.dumps(ready))
    (folder / "ready.part").replace(folder / "ready.json")
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
