"""Which function answers which path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from git_exchange.devserver.api.answers import Answer, ApiError, Call

Endpoint = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """A path whose parts with a colon stand for any text, and the scopes beside ``api`` with which it may be read."""

    method: str
    parts: tuple[str, ...]
    endpoint: Endpoint
    scopes: frozenset[str]

    def match(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """Return what the parts with a colon stand for, None if the path is another."""
        if len(parts) != len(self.parts):
            return None
        arguments = {}
        for pattern, part in zip(self.parts, parts, strict=True):
            if pattern.startswith(":"):
                if not part:
                    return None
                arguments[pattern[1:]] = part
            elif pattern != part:
                return None
        return arguments


@dataclass
class Routes:
    """All routes, tried in order."""

    routes: list[Route] = field(default_factory=list)

    def add(self, method: str, path: str, *scopes: str) -> Callable[[Endpoint], Endpoint]:
        """Register the decorated function; ``scopes`` suffice besides api (and read_api for reading)."""

        def register(endpoint: Endpoint) -> Endpoint:
            self.routes.append(Route(method, tuple(path.strip("/").split("/")), endpoint, frozenset(scopes)))
            return endpoint

        return register

    def include(self, *others: Routes) -> None:
        """Take over the routes of other modules."""
        for other in others:
            self.routes += other.routes

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a raw path and its decoded arguments. Raise 404 or 405."""
        parts = tuple(unquote(part) for part in path.strip("/").split("/"))
        known = False
        for route in self.routes:
            arguments = route.match(parts)
            if arguments is None:
                continue
            if route.method == ("GET" if method == "HEAD" else method):
                return route, arguments
            known = True
        raise ApiError(405, {"error": "405 Not Allowed"}) if known else ApiError(404, {"error": "404 Not Found"})
