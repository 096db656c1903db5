"""The tables of the SQLite database and the indexes its lists are answered from.

A restore makes a past state of: ``versions``; ``marks``, the bookmark that was saved with each (apart, as rows of more
than a KB spill into pages of their own); ``replaced``, what was the history of a task ``until`` another took its place;
``project_versions`` in the order in which they were written; and ``recovery``, since when (ms) all of these are kept.
"""

from __future__ import annotations

PLACE = "created_at, task_id"
"""The order of every list of tasks."""

FEED_END = "max((SELECT end FROM feed), ifnull((SELECT max(seq) FROM tasks), 0))"
"""Where the change feed ends, as an SQL expression. Whoever removes tasks writes it into ``feed`` first."""

SCHEMA = (
    """CREATE TABLE tasks (
        task_id TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, timestamp INTEGER NOT NULL,
        status TEXT NOT NULL, project_id TEXT NOT NULL, task_type TEXT NOT NULL, created_at TEXT NOT NULL,
        completed_ms INTEGER NOT NULL, ttl INTEGER, position TEXT, reader BLOB, body BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX tasks_by_change ON tasks (seq)",
    "CREATE INDEX tasks_by_ttl ON tasks (ttl) WHERE ttl IS NOT NULL",
    f"CREATE INDEX tasks_by_age ON tasks ({PLACE})",
    f"CREATE INDEX tasks_by_status ON tasks (status, {PLACE})",
    f"CREATE INDEX tasks_by_project ON tasks (project_id, {PLACE})",
    f"CREATE INDEX tasks_by_project_and_status ON tasks (project_id, status, {PLACE})",
    f"CREATE INDEX tasks_by_type ON tasks (task_type, {PLACE})",
    f"CREATE INDEX tasks_by_type_and_status ON tasks (task_type, status, {PLACE})",
    f"CREATE INDEX tasks_by_project_and_type ON tasks (project_id, task_type, {PLACE})",
    f"CREATE INDEX tasks_by_all ON tasks (project_id, task_type, status, {PLACE})",
    """CREATE TABLE versions (
        task_id TEXT NOT NULL, timestamp INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (task_id, timestamp)) WITHOUT ROWID""",
    """CREATE TABLE projects (
        project_id TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL,
        pending INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0,
        completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
        blocked INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0,
        completed_ms INTEGER NOT NULL DEFAULT 0)""",
    "CREATE TABLE cursors (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE feed (end INTEGER NOT NULL)",
    "INSERT INTO feed VALUES (0)",
    "ALTER TABLE cursors RENAME TO memos",
    """CREATE TABLE marks (
        task_id TEXT NOT NULL, timestamp INTEGER NOT NULL, position TEXT NOT NULL, reader BLOB NOT NULL,
        PRIMARY KEY (task_id, timestamp)) WITHOUT ROWID""",
    """CREATE TABLE replaced (
        task_id TEXT NOT NULL, until INTEGER NOT NULL, timestamp INTEGER NOT NULL, body BLOB NOT NULL,
        position TEXT, reader BLOB, PRIMARY KEY (task_id, until, timestamp))""",
    """CREATE TABLE project_versions (
        n INTEGER PRIMARY KEY, project_id TEXT NOT NULL, updated_at TEXT NOT NULL, body BLOB NOT NULL)""",
    "CREATE INDEX project_versions_by_project ON project_versions (project_id, n)",
    "INSERT INTO project_versions (project_id, updated_at, body) SELECT project_id, '', body FROM projects",
    "CREATE TABLE recovery (since INTEGER NOT NULL)",
    """INSERT INTO recovery SELECT CASE WHEN EXISTS (SELECT 1 FROM tasks) OR EXISTS (SELECT 1 FROM projects)
        THEN 1000 * (CAST(strftime('%s', 'now') AS INTEGER) + 1) ELSE 0 END""",
)
