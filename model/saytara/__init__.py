"""Actors, places and control-change events from Arabic news reports."""

__version__ = "0.1.0"
