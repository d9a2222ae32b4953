"""A small LMS on loopback with the grade service of LTI, as strict as Moodle's where that is known."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Lms:
    """``students`` are the user ids that may have a grade, ``grades`` their last scores; ``posts`` counts scores."""

    url: str
    students: set[str]
    items: list[dict[str, Any]] = field(default_factory=list)
    grades: dict[str, dict[str, Any]] = field(default_factory=dict)
    posts: int = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        parts = urlsplit(path)
        if parts.path == "/token":
            return 200, {"access_token": "t" * 20, "token_type": "Bearer", "scope": parse_qs(body.decode())["scope"][0]}
        if parts.path == "/lineitems" and method == "GET":
            return 200, self.items
        if parts.path == "/lineitems":
            self.items.append({**json.loads(body), "id": f"{self.url}/lineitems/1/lineitem?type_id=1"})
            return 201, self.items[-1]
        if parts.path == "/lineitems/1/lineitem/results":
            return 200, [
                {"userId": user, "resultScore": said["scoreGiven"], "resultMaximum": said["scoreMaximum"]}
                for user, said in self.grades.items()
            ]
        if parts.path == "/lineitems/1/lineitem/scores":
            return self._score(json.loads(body))
        return 404, {}

    def _score(self, said: dict[str, Any]) -> tuple[int, object]:
        self.posts += 1
        if said["userId"] not in self.students:
            return 400, []
        before = self.grades.get(said["userId"])
        if before is not None and said["timestamp"][:19] <= before["timestamp"][:19]:
            return 409, []
        self.grades[said["userId"]] = said
        return 200, None


@contextmanager
def running_lms(*students: str) -> Iterator[Lms]:
    lms = Lms("", set(students))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = lms.answer(
                self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0))
            )
            body = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    lms.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield lms
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
