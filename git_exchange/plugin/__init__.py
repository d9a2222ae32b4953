"""nbgrader's exchange classes on a git forge, one file per operation, named as nbgrader's own."""

from git_exchange.plugin.configure import configure

__all__ = ["configure"]
