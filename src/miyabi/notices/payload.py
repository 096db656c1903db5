"""A notice for programs."""

from __future__ import annotations

from miyabi.model import iso
from miyabi.notices import News, Notice
from miyabi.notices.text import link, text_of


def payload(notice: Notice, url: str | None) -> dict[str, object]:
    """A notice for programs: ``type`` is ``task.failed`` and so on, ``digest`` for several, or ``test``."""
    text = text_of(notice, url)
    first = notice.news[0] if notice.news else None
    data: dict[str, object] = {"title": text.title, "text": text.body}
    single = first if first and len(notice.news) == 1 and not notice.more else None
    if single:
        data |= _data(single, url)
    elif first:
        data |= {"notices": [{"type": f"task.{n.kind}", "timestamp": iso(n.at), **_data(n, url)} for n in notice.news]}
        data |= {"more": notice.more}
    kind = f"task.{single.kind}" if single else "test" if notice.test else "digest"
    return {"type": kind, "timestamp": iso(notice.news[-1].at) if first else None, "data": data}


def _data(news: News, url: str | None) -> dict[str, object]:
    return {"task": news.task, "url": link(news.task, url)}
