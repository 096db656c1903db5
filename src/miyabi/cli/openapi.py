"""``miyabi openapi``: the API's description, for generators of clients."""

from __future__ import annotations

import click


@click.command()
def openapi() -> None:
    """Print the API's OpenAPI 3.1 document."""
    from miyabi.wiring.openapi import board_document

    click.echo(board_document(), nl=False)
