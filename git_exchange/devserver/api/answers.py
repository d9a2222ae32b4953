"""What a request asks for, and what it gets: parameters, answers, errors, pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from git_exchange.devserver import access
from git_exchange.devserver.clock import read
from git_exchange.devserver.site import Site
from git_exchange.devserver.values import Namespace, Project, User
from git_exchange.devserver.viewer import Viewer

MAX_PER_PAGE = 100
DEFAULT_PER_PAGE = 20

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Answer:
    """A status with a JSON ``body``, or with ``raw`` bytes of ``content_type``."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.answer = Answer(body, status, headers or {})


def message(status: int, text: str | Mapping[str, Any] | Sequence[str]) -> ApiError:
    """Return the error of GitLab's own code: ``{"message": ...}``."""
    return ApiError(status, {"message": text})


def invalid(text: str) -> ApiError:
    """Return the error of GitLab's parameter check: 400 and ``{"error": ...}``."""
    return ApiError(400, {"error": text})


def forbidden() -> ApiError:
    """Return 403 for somebody who sees the thing but has too low a level."""
    return message(403, "403 Forbidden")


def unauthorized() -> ApiError:
    """Return 401 for nobody and for a wrong token."""
    return message(401, "401 Unauthorized")


def not_found(what: str = "") -> ApiError:
    """Return 404, which also hides what somebody must not see."""
    return message(404, f"404 {what} Not Found" if what else "404 Not found")


@dataclass(frozen=True)
class Parameters:
    """Query, form and JSON parameters as one: clients use whichever they like."""

    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Return whether a parameter is given and not null."""
        return self.values.get(name) is not None

    def text(self, name: str) -> str | None:
        """Return a text, None if it is absent."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, (list, dict)):
            raise invalid(f"{name} is invalid")
        return ("true" if value else "false") if isinstance(value, bool) else str(value)

    def required(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text(name)
        if value is None:
            raise invalid(f"{name} is missing")
        if not value:
            raise invalid(f"{name} is empty")
        return value

    def integer(self, name: str) -> int | None:
        """Return a number, None if it is absent."""
        value = self.text(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except ValueError:
            raise invalid(f"{name} is invalid") from None

    def boolean(self, name: str, default: bool = False) -> bool:
        """Return a yes or no."""
        value = self.text(name)
        if value is None or value == "":
            return default
        if value.lower() in ("true", "1", "t", "on", "yes"):
            return True
        if value.lower() in ("false", "0", "f", "off", "no"):
            return False
        raise invalid(f"{name} is invalid")

    def choice(self, name: str, values: Sequence[str], default: str) -> str:
        """Return one of some words."""
        value = self.text(name)
        if value is None:
            return default
        if value not in values:
            raise invalid(f"{name} does not have a valid value")
        return value

    def level(self, name: str, values: Sequence[int]) -> int | None:
        """Return an access level that is one of ``values``, None if it is absent."""
        value = self.integer(name)
        if value is not None and value not in values:
            raise invalid(f"{name} does not have a valid value")
        return value

    def day(self, name: str) -> date | None:
        """Return a date, None if it is absent."""
        moment = self.moment(name)
        return None if moment is None else moment.date()

    def moment(self, name: str) -> datetime | None:
        """Return a time, None if it is absent."""
        value = self.text(name)
        if not value:
            return None
        try:
            return read(value)
        except ValueError:
            raise invalid(f"{name} is invalid") from None

    def texts(self, name: str) -> list[str]:
        """Return a list given as JSON, as ``name[]=`` or with commas."""
        value = self.values.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return [str(one) for one in value]
        return [one for one in str(value).split(",") if one]


@dataclass(frozen=True)
class Call:
    """One request to the API: who asks, for what, with which parameters."""

    site: Site
    viewer: Viewer
    method: str
    path: str
    query: Mapping[str, str]
    parameters: Parameters
    arguments: Mapping[str, str]

    @property
    def user(self) -> User:
        """Who asks. Raise 401 for nobody."""
        if self.viewer.user is None:
            raise unauthorized()
        return self.viewer.user

    def require_admin(self) -> None:
        """Let only administrators on."""
        if not self.user.is_admin:
            raise forbidden()

    def project(self, level: int = 0) -> Project:
        """Return the project that the path names. Raise 404 if it is hidden, 403 if the level is too low."""
        project = self.site.store.projects.find(self.arguments["id"])
        if project is None or not self.viewer.sees_project(project):
            raise unauthorized() if self.viewer.user is None else not_found("Project")
        if level and not self.viewer.can(project, level):
            raise unauthorized() if self.viewer.user is None else forbidden()
        return project

    def project_with_code(self) -> Project:
        """Return the project that the path names, for reading its repository."""
        project = self.project()
        if not self.viewer.reads_code(project):
            raise unauthorized() if self.viewer.user is None else forbidden()
        return project

    def group(self, level: int = 0) -> Namespace:
        """Return the group that the path names. Raise 404 if it is hidden, 403 if the level is too low."""
        group = self.site.store.namespaces.find(self.arguments["id"])
        if group is None or group.kind != "group" or not self.viewer.sees_group(group):
            raise unauthorized() if self.viewer.user is None else not_found("Group")
        if level and not self.viewer.can_in_group(group, level):
            raise unauthorized() if self.viewer.user is None else forbidden()
        return group

    def page(self, items: Sequence[_Item]) -> tuple[Sequence[_Item], dict[str, str]]:
        """Return the part of a list that is asked for, and the headers that say so."""
        per_page = self.per_page()
        page = self.parameters.integer("page") or 1
        if page < 1:
            raise invalid("page does not have a valid value")
        total = len(items)
        pages = max(1, -(-total // per_page))
        links = {}
        if page > 1:
            links["prev"] = self._link(page=page - 1, per_page=per_page)
        if page < pages:
            links["next"] = self._link(page=page + 1, per_page=per_page)
        links["first"] = self._link(page=1, per_page=per_page)
        links["last"] = self._link(page=pages, per_page=per_page)
        headers = {
            "Link": ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links.items()),
            "X-Next-Page": str(page + 1) if page < pages else "",
            "X-Page": str(page),
            "X-Per-Page": str(per_page),
            "X-Prev-Page": str(page - 1) if page > 1 else "",
            "X-Total": str(total),
            "X-Total-Pages": str(pages),
        }
        return items[(page - 1) * per_page : page * per_page], headers

    def keyset_page(self, items: Sequence[Project], *, descending: bool) -> tuple[Sequence[Project], dict[str, str]]:
        """Return the next projects in order of id after a cursor, and the link to those that follow."""
        per_page = self.per_page()
        after, before = self.parameters.integer("id_after"), self.parameters.integer("id_before")
        if after is not None:
            items = [item for item in items if item.id > after]
        if before is not None:
            items = [item for item in items if item.id < before]
        part = items[:per_page]
        headers = {"X-Per-Page": str(per_page)}
        if len(items) > per_page:
            cursor = {"id_before" if descending else "id_after": part[-1].id}
            headers["Link"] = f'<{self._link(per_page=per_page, **cursor)}>; rel="next"'
        return part, headers

    def per_page(self) -> int:
        """Return how long a page is."""
        per_page = self.parameters.integer("per_page")
        if per_page is None:
            return DEFAULT_PER_PAGE
        if per_page < 1:
            raise invalid("per_page does not have a valid value")
        return min(per_page, MAX_PER_PAGE)

    def _link(self, **changes: int) -> str:
        query = {name: value for name, value in self.query.items() if name not in ("private_token", "access_token")} | {
            name: str(value) for name, value in changes.items()
        }
        return f"{self.site.url}{self.path}?{urlencode(query)}"


def visibility_of(parameters: Parameters, default: str) -> str:
    """Return the visibility that is asked for."""
    return parameters.choice("visibility", tuple(access.VISIBILITY_LEVELS), default)


def merge(query: Mapping[str, Sequence[str]], body: bytes, content_type: str) -> Parameters:
    """Return query, form and JSON parameters as one. Raise 400 for JSON that is none."""
    values: dict[str, Any] = {}
    for name, given in query.items():
        values[name.removesuffix("[]")] = list(given) if name.endswith("[]") else given[-1]
    if body.strip() and content_type.split(";", maxsplit=1)[0].strip() == "application/json":
        try:
            data = json.loads(body)
        except ValueError:
            raise message(400, "400 Bad request - The request body is not valid JSON") from None
        if isinstance(data, dict):
            values |= data
    return Parameters(values)
