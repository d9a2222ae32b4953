"""A group of commands that is a command itself: ``release ps1`` beside ``release purge ps1``."""

from __future__ import annotations

from typing import Any

import click

# What stands for the group's own command between the group and click; nobody can name a command so.
_ITSELF = ""


class DefaultGroup(click.Group):
    """A group whose ``default`` runs when no command of it is named; ``--`` in front of a name always means that."""

    def __init__(self, *arguments: Any, default: click.Command, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find out whether a command of the group is meant."""
        if args and args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx):
            args = [_ITSELF, *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, the default for what stands for it."""
        return self.default if cmd_name == _ITSELF else super().get_command(ctx, cmd_name)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the default's help, then the group's commands."""
        with click.Context(self.default, info_name=ctx.info_name, parent=ctx.parent) as own:
            self.default.format_help(own, formatter)
        self.format_commands(ctx, formatter)
