"""What the embedded stores share: one SQLite file with a writer thread, readers and somebody to wake.

The rooms above bring their schema, their SQL and their errors; nothing here knows what is stored.
"""

from miyabi.sqlite.errors import Errors
from miyabi.sqlite.file import LOCK_SECONDS, File, open_file

__all__ = ["LOCK_SECONDS", "Errors", "File", "open_file"]
