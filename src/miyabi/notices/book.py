"""The ledger's content: what was told of which task, and what is on its way to whom. Pure: a state in, a state out.

Each news is entered once: what was told of a task's run is remembered for a day, and what a task came into longer ago
is no news any more. So the book stays small, whatever the feed brings again:
full, it fits into an item of DynamoDB (400 KB).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

from msgspec import Struct, field
from msgspec.structs import replace

from miyabi.model import Task
from miyabi.notices import CONDITIONS, Kind, Language, News
from miyabi.notices.news import kind_of, news_of, run_of
from miyabi.notices.rules import Parcel

_Change = Callable[["Item", Parcel], Parcel | None]

DAY_MILLIS = 24 * 3600 * 1000
MOST_TOLD = 500
"""Tasks of which is remembered what was told."""
MOST_HELD = 50
"""News that are held for the end of quiet hours; of those that come then only the number is kept."""


class Told(Struct, frozen=True, array_like=True):
    """What was told of a task's ``run``, in its state of ``version``; ``at``: when it came into the last of these."""

    run: str
    version: int
    at: int
    kinds: Sequence[Kind]


class Item(Struct, frozen=True, array_like=True):
    """News on their way."""

    news: News
    parcels: Sequence[Parcel]


class Book(Struct, frozen=True):
    """``since`` (ms): what a task came into before it was told, or is not to be. ``more``: a target's held news
    beyond :data:`MOST_HELD`."""

    since: int
    told: Mapping[str, Told] = field(default_factory=dict)
    outbox: Sequence[Item] = ()
    more: Mapping[str, int] = field(default_factory=dict)


class Find(Struct, frozen=True):
    """A task in a state that it came into at ``at`` (ms), and who is to hear of it."""

    task: Task
    at: int
    parcels: Sequence[Parcel] = ()


class Batch(Struct, frozen=True):
    """What goes to a target as one notice."""

    id: str
    news: Sequence[News]
    language: Language
    tries: int
    until: int
    more: int = 0


def is_news(book: Book, task: Task) -> bool:
    """Whether nothing was told of this state yet."""
    known = book.told.get(task.task_id)
    return known is None or (task.timestamp >= known.version and kind_of(task) not in _kinds(known, task))


def touches(book: Book, task: Task) -> bool:
    """Whether the book has to be changed for a task of which there is nothing to tell: it left what was told of it."""
    known = book.told.get(task.task_id)
    if known is None or task.timestamp < known.version or known.run != run_of(task):
        return False
    return _kinds(known, task) != tuple(known.kinds)


def enter(book: Book, finds: Sequence[Find], now: int) -> Book:
    """The book after ``finds``; the same one when they change nothing."""
    before = book
    for find in finds:
        book = _entered(book, find, now)
    return book if book is before else _pruned(book, now)


def claim(book: Book, to: str, now: int, lease: int) -> tuple[Book, Batch | None]:
    """What is due for a target, taken for ``lease`` ms, within which nobody else takes it."""
    due = [(item, parcel) for item in book.outbox for parcel in item.parcels if parcel.to == to and parcel.due <= now]
    if not due:
        return book, None
    first = due[0][1]
    group = [(i, p) for i, p in due if p.held and p.batch == first.batch] if first.held else due[:1]
    news = [item.news for item, _ in group]
    more = book.more.get(to, 0) if first.held else 0
    id = first.batch or _batch_id(to, news, more)
    batch = Batch(id, news, first.language, first.tries + 1, first.until, more)
    ids = {one.id for one in news}
    taken = _with_parcels(book, to, lambda item, p: _taken(p, id, now + lease) if item.news.id in ids else p)
    return taken, batch


def settle(book: Book, to: str, batch: Batch, due: int | None) -> Book:
    """A batch has arrived or was given up (``due`` ``None``), or is to be tried again then."""
    ids = {one.id for one in batch.news}

    def after(item: Item, parcel: Parcel) -> Parcel | None:
        if item.news.id not in ids or parcel.batch != batch.id:
            return parcel
        return replace(parcel, due=due) if due is not None else None

    more = {name: count - (batch.more if name == to and due is None else 0) for name, count in book.more.items()}
    return replace(_with_parcels(book, to, after), more={name: count for name, count in more.items() if count > 0})


def next_due(book: Book, to: str) -> int | None:
    """When something is due for a target (ms)."""
    return min((parcel.due for item in book.outbox for parcel in item.parcels if parcel.to == to), default=None)


def at_once(book: Book) -> int:
    """How many news are on their way that are not held."""
    return sum(any(not parcel.held for parcel in item.parcels) for item in book.outbox)


def _entered(book: Book, find: Find, now: int) -> Book:
    task, known = find.task, book.told.get(find.task.task_id)
    if known and task.timestamp < known.version:
        return book
    kinds = _kinds(known, task)
    if find.parcels and kind_of(task) not in kinds and find.at >= max(book.since, now - DAY_MILLIS):
        told = Told(run_of(task), task.timestamp, find.at, (*kinds, kind_of(task)))
        return _posted(replace(book, told={**book.told, task.task_id: told}), find)
    if known is None or not touches(book, task):
        return book
    left = replace(known, version=task.timestamp, kinds=kinds)
    return replace(book, told={**book.told, task.task_id: left})


def _posted(book: Book, find: Find) -> Book:
    kept, more, held = [], dict(book.more), _held(book)
    for parcel in find.parcels:
        if parcel.held and held >= MOST_HELD:
            more[parcel.to] = more.get(parcel.to, 0) + 1
        else:
            kept.append(parcel)
    item = Item(news_of(find.task, find.at), kept)
    return replace(book, outbox=(*book.outbox, item) if kept else book.outbox, more=more)


def _kinds(known: Told | None, task: Task) -> tuple[Kind, ...]:
    """What was told of the run that a task is in, without what it has left since."""
    if known is None or known.run != run_of(task):
        return ()
    return tuple(kind for kind in known.kinds if kind not in CONDITIONS or kind == kind_of(task))


def _held(book: Book) -> int:
    return sum(any(parcel.held for parcel in item.parcels) for item in book.outbox)


def _pruned(book: Book, now: int) -> Book:
    """Without what was told too long ago, and without what nobody has taken for a day after it was to be given up."""
    told = {name: told for name, told in book.told.items() if told.at >= now - DAY_MILLIS}
    since = book.since
    while len(told) > MOST_TOLD:
        oldest = min(told, key=lambda name: told[name].at)
        since = max(since, told.pop(oldest).at + 1)
    kept = _with_parcels(book, None, lambda _, p: p if p.until + DAY_MILLIS >= now else None)
    return replace(kept, since=since, told=told)


def _with_parcels(book: Book, to: str | None, change: _Change) -> Book:
    """Each parcel to a target (``None``: to all) as ``change`` makes it; one of ``None`` is gone."""
    outbox = []
    for item in book.outbox:
        made = [change(item, parcel) if to in (None, parcel.to) else parcel for parcel in item.parcels]
        if left := [parcel for parcel in made if parcel is not None]:
            outbox.append(Item(item.news, left))
    return replace(book, outbox=outbox)


def _taken(parcel: Parcel, batch: str, due: int) -> Parcel:
    return replace(parcel, batch=batch, due=due, tries=parcel.tries + 1)


def _batch_id(to: str, news: Sequence[News], more: int) -> str:
    if len(news) == 1 and not more:
        return news[0].id
    known = "\n".join([to, *(one.id for one in news)])
    return f"msg_{blake2b(known.encode(), digest_size=12).hexdigest()}"
