"""The heart: text in, progress out. Pure: no clock, no files, no network.

A :class:`Reader` reads one log stream, line by line as a terminal would show it, and says what changed. Its state is
small and goes on from where it was saved, so that a stateless collector can read a stream page by page.
"""
