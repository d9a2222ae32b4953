"""A GitLab look-alike on loopback, for tests, the demo and newcomers: no production server.

It answers the part of GitLab's REST and GraphQL API and of git over HTTP that is used here, as GitLab documents it;
where the two differ, GitLab is right. ``controls`` says what tests may ask of it. It imports nothing else of ours.
"""

from __future__ import annotations

from git_exchange.devserver.running import RunningServer, StartError
from git_exchange.devserver.server import serve

__all__ = ["RunningServer", "StartError", "serve"]
