"""Service levels: what every service is measured against, what was measured, and whether that uses up its budget.

The gateway sees every request, and asks how the services behind it are. So it is the one that keeps the account.
"""
