"""Which options there are: ours, and nbgrader's that our classes hear. nbgrader's own help shows neither."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from nbgrader.exchange.abc import Exchange as ABCExchange
from traitlets.utils.importstring import import_item

from git_exchange.plugin.configure import CLASSES
from git_exchange.plugin.exchange import Exchange, GitExchange

_GIVEN = {"url": "https://gitlab.example.edu", "namespace": "teaching"}


@dataclass(frozen=True)
class Option:
    """``c.<section>.<name>``. ``default`` is a Python expression, None if it is found out where nbgrader runs."""

    section: str
    name: str
    type: str
    default: str | None
    help: str


def options() -> list[Option]:
    """Return all options: of git-exchange, of every exchange, of single operations; by name within each section."""
    everywhere = set(GitExchange.class_trait_names(config=True))
    nbgraders = set(ABCExchange.class_trait_names(config=True))
    found = [*_read(GitExchange, everywhere - nbgraders), *_read(ABCExchange, nbgraders)]
    for operation in operations():
        found += _read(operation, set(operation.class_trait_names(config=True)) - everywhere)
    return found


def operations() -> list[Any]:
    """Return the classes of the operations, by name."""
    classes = [import_item(name) for name in CLASSES.values()]
    return sorted((one for one in classes if one is not Exchange), key=lambda one: str(one.__name__))


def explained() -> str:
    """Return every option with its type, default and meaning, for a terminal."""
    lines = []
    for option in options():
        lines += [
            f"c.{option.section}.{option.name}: {option.type}",
            f"    Default: {option.default or 'depends on the machine'}",
            *textwrap.wrap(" ".join(option.help.split()), 96, initial_indent="    ", subsequent_indent="    "),
            "",
        ]
    return "\n".join(lines[:-1])


def _read(cls: Any, names: set[str]) -> Iterator[Option]:
    for name in sorted(names):
        trait = cls.class_traits(config=True)[name]
        static = trait.default()
        # Some defaults depend on the machine, or on what else is set.
        computed = cls is GitExchange and name not in _GIVEN and getattr(GitExchange(**_GIVEN), name) != static
        yield Option(
            cls.__name__, name, str(trait.info()), None if computed else repr(static), cleandoc(trait.help or "")
        )
