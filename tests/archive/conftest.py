"""The exchange tests' classroom: every forge there is, a namespace per test."""

from __future__ import annotations

from tests.exchange.conftest import classroom, server, zygote

__all__ = ["classroom", "server", "zygote"]
