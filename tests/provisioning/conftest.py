"""The exchange tests' classroom: one development server per worker, a namespace per test."""

from __future__ import annotations

from tests.exchange.conftest import classroom, server, zygote

__all__ = ["classroom", "server", "zygote"]
