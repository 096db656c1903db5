"""Miyabi: a live board of how far long jobs have got, read from nothing but their output."""

__version__ = "0.1.0"
