"""Service 3, the task API: tasks and projects over HTTP, from the cache first and the database behind it."""
