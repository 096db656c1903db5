"""Service 2, the gateway: the one door. It guards, limits and routes; behind it are the task API and the page."""
