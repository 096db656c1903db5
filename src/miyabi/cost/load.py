"""What happens in a month, and the units of AWS that it uses."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from miyabi.cost.prices import HOURS, SECONDS

POLL_SECONDS = 3
"""An open page asks for events again after this long; behind Lambda a stream of events ends at once."""
REQUESTS_PER_PAGE = 20
"""Page, scripts, styles, fonts, icons of a first visit; later visits take them from the browser."""
PAGE_MB = 0.5
"""Of a first visit, compressed."""

# Capacity units of each operation and sizes of items are measured: docs/decisions/dynamodb.md.
SAVE_WRITES = 7
"""Progress, with the version before it kept: 2 + 1 in the table, 2 in each of two indexes."""
TASK_WRITES = 9 + 2 * 11
"""A new task, and two changes of its status (running, ended)."""
RUN_READS = 1
LIST_READS = 34
"""A list of 50: 25 for the tasks, 6 to 12 for the index."""
LOOK_READS = 3
"""A look at the feed; and one for each task that changed."""
LIST_BYTES = 50 * 1594
SAVE_BYTES = 2 * 1594
"""Read and written."""
TASK_BYTES = 1594 + 3 * 162 + 100
VERSION_BYTES = 937 + 100
"""With the 100 bytes that DynamoDB adds to an item for its bill."""
KEPT_MONTHS = 3
"""A task is forgotten 90 days after its last change."""
REQUEST_COMMANDS = 2
RUN_COMMANDS = 4
"""Redis commands of a request and of a collector run, at most."""


class LoadError(ValueError):
    """A load that can't be; the message says what to change."""


class Load(Struct, frozen=True, kw_only=True):
    """A month. Raises :class:`LoadError` when open pages ask more often than there are requests."""

    requests: float = 1e6
    """To the API, those of open pages among them."""
    runs: float = 1e5
    """Of the collector: pushes of new lines, and the 43,800 of a schedule of one a minute."""
    updates: float = 1e5
    """Saves of a task's progress; each keeps the version before it."""
    tasks: float = 1e3
    log_gb: float = 1.0
    """Lines of all groups: the jobs', the services' own, and Lambda's."""
    viewers: float = 1.0
    """Pages open side by side,"""
    viewer_hours: float = 160.0
    """each for so long: the working hours of a month."""
    page_loads: float = 1e3
    response_kb: float = 2.0
    """Of an answer, compressed, on average; most answers to open pages are empty."""
    task_ms: float = 25.0
    """Billed of a request: 3.6 ms of a whole CPU at 9 hits of 10, on the 1/7 of one that 256 MB have."""
    run_ms: float = 500.0
    """Billed of a collector run: its objective's 95th percentile, so more than the mean."""
    hits: float = 0.9
    """Share of reads that the cache answers."""
    users: float = 5.0
    """Who sign in at least once."""
    traced: float = 0.05
    """Share of requests that X-Ray records: a sampling rule of the gateway's stage."""
    peak: float = 10.0
    """The busiest second is so many times the mean one."""

    def __post_init__(self) -> None:
        if self.polls > self.requests:
            raise LoadError(
                f"{self.viewers:g} open pages for {self.viewer_hours:g} h ask {self.polls:,.0f} times, more than the "
                f"{self.requests:,.0f} requests they are part of. Give more `--requests`, or fewer `--viewers`."
            )

    @property
    def polls(self) -> float:
        """Requests by open pages."""
        return self.viewers * self.viewer_hours * 3600 / POLL_SECONDS

    @property
    def misses(self) -> float:
        """Reads that the database answers; each is taken for a list of 50, the dearest."""
        return (self.requests - self.polls) * (1 - self.hits)

    @property
    def writes(self) -> float:
        """Write units."""
        return self.updates * SAVE_WRITES + self.tasks * TASK_WRITES

    @property
    def reads(self) -> float:
        """Read units. An update is told to each page that is open then."""
        told = self.updates * self.viewers * self.viewer_hours / HOURS
        return self.runs * RUN_READS + self.misses * LIST_READS + self.polls * LOOK_READS + told

    @property
    def database_gb(self) -> float:
        """To and from the database."""
        return (self.misses * LIST_BYTES + self.updates * SAVE_BYTES) / 1e9

    @property
    def stored_gb(self) -> float:
        """Once as many tasks are forgotten as come."""
        return KEPT_MONTHS * (self.tasks * TASK_BYTES + self.updates * VERSION_BYTES) / 1e9

    @property
    def peak_requests(self) -> float:
        """In the busiest second."""
        return self.requests / SECONDS * self.peak

    @property
    def peak_runs(self) -> float:
        """Of the collector that begin in the busiest second."""
        return self.runs / SECONDS * self.peak

    @property
    def answers_gb(self) -> float:
        return self.requests * self.response_kb / 1e6

    @property
    def page_gb(self) -> float:
        return self.page_loads * PAGE_MB / 1e3

    def times(self, factor: float) -> Load:
        """``factor`` times as much of everything; one request takes as long as before."""
        names = ("requests", "runs", "updates", "tasks", "log_gb", "viewers", "page_loads", "users")
        return replace(self, **{name: getattr(self, name) * factor for name in names})
