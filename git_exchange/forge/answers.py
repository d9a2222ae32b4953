"""Single values out of a forge's JSON, checked: what is not of its type is no answer of a forge."""

from __future__ import annotations


def number(value: object) -> int:
    """Return an integer that is one. Raise TypeError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"not a number: {type(value).__name__}")
    return value


def text(value: object) -> str:
    """Return a text that is one. Raise TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"not a text: {type(value).__name__}")
    return value
