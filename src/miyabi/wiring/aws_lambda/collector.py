"""The collector as a Lambda function, with its three triggers.

A subscription of the log groups pushes new lines; a schedule sweeps what no push told of, looks after silent tasks
and keeps the cache right; API Gateway passes on ``POST /api/collect`` and ``POST /api/tasks/TASK/reread``. Events that
failed for good lie in a dead-letter queue: one that is taken out of it again (a "redrive") is collected as if new.
Telling people is for a function of its own (:mod:`miyabi.wiring.aws_lambda.notices`).
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec
from mangum import Mangum

from miyabi.collector.app import CollectorApp
from miyabi.collector.loop import Loop
from miyabi.collector.push import Known, collect_pushed
from miyabi.settings import Settings
from miyabi.tasks.keeper import Kept
from miyabi.wiring.aws_lambda.runtime import Event, Process, adapter, is_request
from miyabi.wiring.collector import known_of, make_loop
from miyabi.wiring.stores import open_stores_for_ever


class Service(NamedTuple):
    """The collector's parts."""

    loop: Loop
    app: Mangum
    known: Known
    kept: Kept


async def _make(settings: Settings) -> Service:
    stores = await open_stores_for_ever(settings)
    loop = make_loop(settings, stores)
    return Service(
        loop,
        adapter(CollectorApp(loop), "The collector"),
        known_of(stores),
        Kept(stores.database, stores.cache),
    )


_process = Process("collector", _make)


def handler(event: Event, context: Any) -> Any:
    """Collect what the event tells of. What is raised makes Lambda hand the event in again, and then give it up."""
    return _process.serve(event, context, lambda service: _work(service, event, context))


def _work(service: Service, event: Event, context: Any) -> Any:
    if is_request(event):
        return service.app(event, context)
    return _process.loop.run_until_complete(_collected(service, event))


async def _collected(service: Service, event: Event) -> Any:
    if event.get("source") == "aws.events":
        return await _sweep(service)
    results = [await collect_pushed(service.loop, delivery, service.known) for delivery in deliveries(event)]
    return msgspec.to_builtins(results)


async def _sweep(service: Service) -> Any:
    """Collect, and meanwhile put into the cache what writers that died did not."""
    result, _ = await asyncio.gather(service.loop.sweep(), service.kept.again())
    return msgspec.to_builtins(result)


def deliveries(event: Event) -> list[Any]:
    """The deliveries of an event: itself, or those that lay in the dead-letter queue.

    There an event stands as it came, or as the ``requestPayload`` of a failed invocation's record.
    """
    records = event.get("Records")
    if not isinstance(records, list) or not all("body" in record for record in records) or not records:
        return [event]
    bodies = [msgspec.json.decode(record["body"]) for record in records]
    return [body.get("requestPayload", body) for body in bodies]
