"""Scopes of tokens: the words that callers use for every forge ("api"), and Gitea's ("write:repository"). Pure."""

from __future__ import annotations

from collections.abc import Collection

# What a token of this scope is made with.
_MADE_WITH = {
    "api": frozenset({"write:repository", "write:organization", "write:issue", "write:user"}),
    "read_api": frozenset({"read:repository", "read:organization", "read:issue", "read:user"}),
    "write_repository": frozenset({"write:repository"}),
    "read_repository": frozenset({"read:repository"}),
    "read_user": frozenset({"read:user"}),
}
# What a token needs to do for us what one of this scope can, the widest first.
_NEEDED = {
    "api": frozenset({"write:repository", "write:organization", "read:user"}),
    "read_api": frozenset({"read:repository", "read:user"}),
    "write_repository": frozenset({"write:repository"}),
    "read_repository": frozenset({"read:repository"}),
    "read_user": frozenset({"read:user"}),
}
_IMPLIED = {"api": frozenset(_NEEDED), "read_api": frozenset({"read_repository", "read_user"})} | {
    "write_repository": frozenset({"read_repository"})
}


def native(words: Collection[str]) -> frozenset[str]:
    """Return the server's scopes for the callers' words; a word of the server's own stays as it is."""
    return frozenset(scope for word in words for scope in _MADE_WITH.get(word, (word,)))


def words(native_scopes: Collection[str]) -> frozenset[str]:
    """Return what the server's scopes amount to, in the callers' words, without what a wider one implies."""
    held = set(native_scopes) | {f"read:{scope[6:]}" for scope in native_scopes if scope.startswith("write:")}
    found = {word for word, needed in _NEEDED.items() if needed <= held or "all" in held}
    return frozenset(word for word in found if not any(word in _IMPLIED.get(wide, ()) for wide in found - {word}))
