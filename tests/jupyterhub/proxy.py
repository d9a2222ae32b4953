"""A proxy of JupyterHub that needs no Node.js: HTTP only, in the hub's own process. For tests only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.proxy import Proxy
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders

# These are about one connection, not about what it carries.
_OF_THE_CONNECTION = ("Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Content-Encoding")


class InProcessProxy(Proxy):  # type: ignore[misc] # jupyterhub has no types
    """Sends each request to the longest route that its path begins with."""

    should_start = True

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.routes: dict[str, dict[str, Any]] = {}

    async def start(self) -> None:
        address = urlsplit(self.public_url)
        application = web.Application([(r".*", _Forwarding, {"proxy": self})])
        self.server = HTTPServer(application)
        self.server.listen(address.port or 80, address.hostname or "")

    async def stop(self) -> None:
        self.server.stop()

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        spec = self.validate_routespec(routespec)
        self.routes[spec] = {"routespec": spec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(self.validate_routespec(routespec), None)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        return dict(self.routes)

    def target(self, path: str) -> str | None:
        found = [spec for spec in self.routes if f"{path}/".startswith(spec)]
        return str(self.routes[max(found, key=len)]["target"]) if found else None


class _Forwarding(web.RequestHandler):
    def initialize(self, proxy: InProcessProxy) -> None:
        self.proxy = proxy

    async def prepare(self) -> None:
        target = self.proxy.target(self.request.path)
        if target is None:
            raise web.HTTPError(503)
        address = urlsplit(target)
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(
                f"{address.scheme}://{address.netloc}{self.request.uri}",
                method=str(self.request.method),
                headers=HTTPHeaders(self.request.headers),
                body=self.request.body or None,
                allow_nonstandard_methods=True,
                follow_redirects=False,
                decompress_response=False,
                request_timeout=120,
            ),
            raise_error=False,
        )
        self.set_status(answer.code, answer.reason)
        self.clear_header("Content-Type")
        for name, value in answer.headers.get_all():
            if name not in _OF_THE_CONNECTION or name == "Content-Encoding":
                self.add_header(name, value)
        await self.finish(answer.body)
