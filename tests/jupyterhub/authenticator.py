"""A sign-in for tests, in the hub's own process: anybody by name, with a token that the forge's administrator makes.

As with OAuth: the hub keeps the token, looks at it when it is asked, and gets a new one when the forge refuses the old.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

SCOPES = ["read_api", "write_repository"]


class ForgeSignIn(Authenticator):  # type: ignore[misc] # jupyterhub has no types
    """Signs in whoever has an account on the forge."""

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any]:
        return await self._signed_in(data["username"])

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> bool | dict[str, Any]:
        kept = await user.get_auth_state()
        try:
            await self._asked("GET", "/user", kept["access_token"])
        except HTTPClientError:
            return await self._signed_in(user.name)
        return True

    async def _signed_in(self, username: str) -> dict[str, Any]:
        admin = os.environ["TEST_FORGE_ADMIN"]
        (account,) = await self._asked("GET", f"/users?username={username}", admin)
        until = datetime.now(timezone.utc).date() + timedelta(days=30)
        asked = {"name": "hub", "scopes": SCOPES, "expires_at": until.isoformat()}
        made = await self._asked("POST", f"/users/{account['id']}/impersonation_tokens", admin, asked)
        return {
            "name": username,
            "auth_state": {
                "access_token": made["token"],
                "record": f"/users/{account['id']}/impersonation_tokens/{made['id']}",
            },
        }

    async def _asked(self, method: str, path: str, token: str, body: object = None) -> Any:
        headers = {"PRIVATE-TOKEN": token, "Content-Type": "application/json"}
        url = f"{os.environ['GIT_EXCHANGE_URL']}/api/v4{path}"
        content = json.dumps(body) if body is not None else None
        answer = await AsyncHTTPClient().fetch(HTTPRequest(url, method=method, headers=headers, body=content))
        return json.loads(answer.body)
