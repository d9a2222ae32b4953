"""Tornado's side: the REST API, the test controls and GraphQL as one kind of request; git has its own."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from tornado.web import RequestHandler

from git_exchange.devserver import signin
from git_exchange.devserver.api.answers import Answer, ApiError, Call, merge, message
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.faults import Fault
from git_exchange.devserver.site import Site
from git_exchange.devserver.viewer import Viewer

log = logging.getLogger(__name__)


class SiteHandler(RequestHandler):
    """Common to all: the server's clock in the Date header, and the faults that tests ask for."""

    site: Site

    def initialize(self, site: Site) -> None:
        """Take the site; called by Tornado, also before the default headers are set again."""
        self.site = site

    def set_default_headers(self) -> None:
        """Set the Date header from the server's clock, which a test may have shifted."""
        site: Site = self.application.settings["site"]
        self.set_header("Date", site.clock.http_date())
        self.set_header("Server", "git-exchange-devserver")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Write what went wrong here into the log, with the request."""
        log.error("%s %s", self.request.method, self.request.path, exc_info=(typ, value, tb))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error of the server's own as GitLab does."""
        self.finish({"message": f"{status_code} {self._reason}"})

    def refuse_by_fault(self, fault: Fault) -> None:
        """Answer what a test asked for."""
        self.set_status(fault.status)
        if fault.retry_after is not None:
            self.set_header("Retry-After", str(fault.retry_after))
        if fault.plain:
            # What Rack::Attack answers in front of GitLab.
            self.set_header("Content-Type", "text/plain")
            self.set_header("RateLimit-Name", "throttle_authenticated_api")
            self.set_header("RateLimit-Remaining", "0")
            self.finish((fault.message or "Retry later") + "\n")
            return
        text = fault.message or "This endpoint has been requested too many times. Try again later."
        self.finish({"message": {"error": text} if fault.message is None and fault.status == 429 else text})


class ApiHandler(SiteHandler):
    """REST: find the route, then who asks, then answer."""

    def initialize(self, site: Site, routes: Routes, prefix: str) -> None:  # type: ignore[override] # Tornado's way
        """Take the routes below ``prefix``."""
        super().initialize(site)
        self._routes = routes
        self._prefix = prefix

    async def _respond(self) -> None:
        request = self.request
        if fault := self.site.faults.take(request.method or "GET", request.path):
            self.refuse_by_fault(fault)
            return
        try:
            answer = await self._answer(request.method or "GET")
        except ApiError as error:
            answer = error.answer
        self._send(answer)

    async def _answer(self, method: str) -> Answer:
        request = self.request
        self.site.store.events.settle()
        content_type = request.headers.get("Content-Type", "")
        given: dict[str, list[str]] = parse_qs(request.query, keep_blank_values=True)
        # Tornado has taken a form's fields apart, of either encoding.
        for name, values in request.body_arguments.items():
            given[name] = [value.decode(errors="replace") for value in values]
        secret = (given.get("private_token") or given.get("access_token") or [""])[-1]
        viewer = signin.api_viewer(self.site.store, self.site.clock, request.headers, secret)
        route, arguments = self._routes.find(method, request.path.removeprefix(self._prefix))
        signin.check_scope(viewer, method, route.scopes)
        call = Call(
            self.site,
            viewer,
            method,
            request.path,
            {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()},
            merge(given, request.body, content_type),
            arguments,
        )
        answer = route.endpoint(call)
        return await answer if inspect.isawaitable(answer) else answer

    def _send(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        if answer.status == 204:
            self.clear_header("Content-Type")
            self.finish()
            return
        self.set_header("Content-Type", answer.content_type)
        self.finish(json.dumps(answer.body) if answer.raw is None else answer.raw)

    async def get(self, *_: str) -> None:
        """Answer a GET."""
        await self._respond()

    async def head(self, *_: str) -> None:
        """Answer a HEAD: as a GET, without the body."""
        await self._respond()

    async def post(self, *_: str) -> None:
        """Answer a POST."""
        await self._respond()

    async def put(self, *_: str) -> None:
        """Answer a PUT."""
        await self._respond()

    async def patch(self, *_: str) -> None:
        """Answer a PATCH."""
        await self._respond()

    async def delete(self, *_: str) -> None:
        """Answer a DELETE."""
        await self._respond()


Execute = Callable[[Site, Viewer, str, dict[str, Any] | None, str | None], Awaitable[dict[str, Any]]]


class GraphQLHandler(SiteHandler):
    """POST /api/graphql."""

    async def post(self) -> None:
        """Run a query."""
        if fault := self.site.faults.take("POST", self.request.path):
            self.refuse_by_fault(fault)
            return
        try:
            result = await self._result()
        except ApiError as error:
            self.set_status(error.answer.status)
            body = error.answer.body
            text = body.get("error_description") or body.get("message") or body.get("error")
            result = {"errors": [{"message": "Invalid token" if self.get_status() == 401 else text}]}
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(result))

    async def _result(self) -> dict[str, Any]:
        # Imported when first asked: it would double the time to start.
        from git_exchange.devserver.graph import execute

        viewer = signin.api_viewer(self.site.store, self.site.clock, self.request.headers, None)
        signin.check_scope(viewer, "GET", frozenset())
        try:
            asked = json.loads(self.request.body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            raise message(400, "Unexpected end of document")
        variables = asked.get("variables")
        self.site.store.events.settle()
        return await execute(
            self.site,
            viewer,
            asked["query"],
            variables if isinstance(variables, dict) else None,
            asked.get("operationName"),
        )


class NothingHandler(SiteHandler):
    """Every other path."""

    def prepare(self) -> None:
        """Answer 404."""
        self.set_status(404)
        self.finish({"error": "404 Not Found"})
