"""The command line. Each command is imported when it is called, so that ``miyabi run`` starts fast."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "up": "up:up",
    "run": "run:run",
    "flush": "run.flush:flush",
    "reread": "reread:reread",
    "serve": "serve:serve",
    "progress": "progress:progress",
    "tables": "tables:tables",
    "restore": "restore:restore",
    "token": "token:token",
    "notify": "notify:notify",
    "cost": "cost:cost",
    "openapi": "openapi:openapi",
}
"""Name of the command → ``module:object`` within this package, in the order of ``--help``."""


class LazyGroup(click.Group):
    """A group whose commands live in :data:`COMMANDS` and are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f"miyabi.cli.{module}"), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="miyabi")
def main() -> None:
    """Watch how far long jobs have got, live, from nothing but their output.

    Start the board with `miyabi up`, then put `miyabi run --` before any command.
    """
