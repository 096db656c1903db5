"""All of it down again. Tables, log groups and users stay, unless ``--delete-data`` is given."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from infra.deploy import cdk, parse, settings_of
from infra.upload import empty
from miyabi.deployment import Deployment

WITH_DATA = ("database", "logs", "auth")


def destroy(settings: Deployment, context: Sequence[str] = (), *, data: bool = False) -> None:
    """Delete all stacks. With ``data``, those that keep data are first told not to."""
    if data:
        context = [*context, "data=delete"]
        stacks = [f"{settings.prefix}-{name}" for name in WITH_DATA]
        cdk("deploy", *stacks, "--exclusively", "--require-approval=never", context=context)
    empty(settings)
    cdk("destroy", "--all", "--force", context=context)


def main(arguments: Sequence[str] | None = None) -> None:
    """Destroy, and say what is left."""
    given = parse("destroy", __doc__, "--delete-data", arguments=arguments)
    settings = settings_of(given.context)
    destroy(settings, given.context, data=given.delete_data)
    if not given.delete_data:
        sys.stdout.write(f"Kept: the tables {settings.prefix}-*, the log groups /miyabi/*, and the users.\n")


if __name__ == "__main__":
    main()
