"""Webhooks: the headers and signatures of GitLab, sent in the background, each attempt recorded.

https://docs.gitlab.com/user/project/integrations/webhooks/
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

from git_exchange.devserver.clock import Clock
from git_exchange.devserver.store.hooks import Hooks
from git_exchange.devserver.values import Alert, Delivery, Hook

DELIVERY_SECONDS = 10.0
CONCURRENT = 8
KEPT_BODY = 10_000

# After so many failures in a row a hook rests for a minute, then twice as long each time, and after the most for good.
FAILURES, MOST_FAILURES = 4, 40
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(days=1)

log = logging.getLogger(__name__)


def alert_of(deliveries: Sequence[Delivery], now: datetime) -> Alert:
    """Return whether a hook with these deliveries, the newest first, is sent to."""
    failed = list(takewhile(lambda one: not one.status.startswith(("2", "3")), deliveries))
    if len(failed) >= MOST_FAILURES:
        return Alert("disabled", None)
    if len(failed) < FAILURES:
        return Alert("executable", None)
    until = failed[0].created_at + min(FIRST_REST * 2 ** (len(failed) - FAILURES), LONGEST_REST)
    return Alert("executable", None) if until <= now else Alert("temporarily_disabled", until)


def signature(signing_token: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Return the header ``webhook-signature`` (standardwebhooks.com). Raise ValueError for a malformed token."""
    key = base64.b64decode(signing_token.removeprefix("whsec_"), validate=True)
    signed = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


class Webhooks:
    """Deliveries under way. ``url`` is the server's own, set when it is known.

    ``auto_disable`` and ``signing_tokens`` are features that a GitLab can have on or off.
    """

    def __init__(self, hooks: Hooks, clock: Clock) -> None:
        self.url = ""
        self.auto_disable = False
        self.signing_tokens = True
        self._hooks = hooks
        self._clock = clock
        self._client = AsyncHTTPClient(force_instance=True)
        self._places = asyncio.Semaphore(CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()

    def alert(self, hook: Hook) -> Alert:
        """Return whether the hook is sent to."""
        return alert_of(self._hooks.deliveries(hook.id) if self.auto_disable else (), self._clock.now())

    def send(self, hook: Hook, event: str, payload: Mapping[str, Any], trigger: str) -> None:
        """Deliver in the background; ``event`` is the header's value, as "Push Hook"."""
        self._start(self._deliver(hook, event, json.dumps(payload).encode(), str(uuid.uuid4()), trigger))

    async def resend(self, hook: Hook, event: str, body: bytes, idempotency_key: str, trigger: str) -> None:
        """Deliver once more what was delivered before."""
        await self._deliver(hook, event, body, idempotency_key, trigger)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._client.close()

    def _start(self, delivery: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _headers(self, hook: Hook, event: str, body: bytes, idempotency_key: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitLab/devserver",
            "Idempotency-Key": idempotency_key,
            "X-Gitlab-Event": event,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.url}/hooks/{hook.id}")),
            "X-Gitlab-Instance": self.url,
            "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        }
        if hook.token:
            headers["X-Gitlab-Token"] = hook.token
        if hook.signing_token:
            timestamp = str(int(self._clock.now().timestamp()))
            headers |= {
                "webhook-id": idempotency_key,
                "webhook-timestamp": timestamp,
                "webhook-signature": signature(hook.signing_token, idempotency_key, timestamp, body),
            }
        return headers | dict(hook.custom_headers)

    async def _deliver(self, hook: Hook, event: str, body: bytes, idempotency_key: str, trigger: str) -> None:
        headers = self._headers(hook, event, body, idempotency_key)
        request = HTTPRequest(
            hook.url,
            method="POST",
            body=body,
            headers=headers,
            follow_redirects=False,
            connect_timeout=DELIVERY_SECONDS,
            request_timeout=DELIVERY_SECONDS,
        )
        answer_headers: dict[str, str] = {}
        answer = ""
        async with self._places:
            started = time.monotonic()
            try:
                response = await self._client.fetch(request, raise_error=False)
                status = "internal error" if response.code == 599 else str(response.code)
                answer_headers = dict(response.headers.get_all())
                answer = response.body[:KEPT_BODY].decode(errors="replace") if response.buffer else ""
            except (OSError, HTTPError, ValueError) as error:
                status = "internal error"
                answer = str(error)
            duration = time.monotonic() - started
        log.debug("webhook %s: %s", hook.id, status)
        self._hooks.delivered(
            hook,
            trigger=trigger,
            status=status,
            duration=duration,
            request_headers={name: "[REDACTED]" if name == "X-Gitlab-Token" else v for name, v in headers.items()},
            request_data=body.decode(),
            response_headers=answer_headers,
            response_body=answer,
        )
