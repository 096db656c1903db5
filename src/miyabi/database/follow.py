"""Following the database's change feed from a place that is remembered in the database itself."""

from __future__ import annotations

from miyabi.database import Database


async def place_of(database: Database, memo: str) -> tuple[str, bool]:
    """The place that is remembered under ``memo``, and whether it begins here.

    It does at the feed's end, where none is remembered, or one that another database made. Raises
    ``DatabaseUnavailable``.
    """
    place = await database.memo(memo)
    try:
        if place:
            await database.changed(place, 1)
            return place, False
    except ValueError:
        pass
    place = (await database.changed(limit=0)).next
    await database.set_memo(memo, place)
    return place, True
