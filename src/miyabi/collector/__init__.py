"""Service 4, the progress collector: logs in, progress out. It writes the database first, then the cache."""
