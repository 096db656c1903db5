"""Which streams are jobs, and the task that each of them is."""

from __future__ import annotations

import hashlib

from miyabi.logs import LAMBDA_GROUPS
from miyabi.model import SYSTEM_GROUP, is_id, slug


def is_job(group: str) -> bool:
    """Whether a group's streams are jobs, and not the services' own logs."""
    return group != SYSTEM_GROUP and not group.startswith(LAMBDA_GROUPS)


def task_id_of(group: str, name: str) -> str:
    """The id of the task that a stream is: its name where that is an id, else one made of it."""
    return name if is_id(name) else own_id(group, name)


def own_id(group: str, name: str) -> str:
    """The task's id where a stream of that name in another group has the name."""
    digest = hashlib.blake2b(f"{group}\n{name}".encode(), digest_size=4).hexdigest()
    return f"{slug(name)}-{digest}"
