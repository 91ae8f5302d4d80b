"""Actors, places and control-change events from Arabic news reports."""

from typing import TYPE_CHECKING, Any

from saytara.document import Annotation, Argument, Document, Event, Mention, Span

if TYPE_CHECKING:
    from saytara.pipeline import Extractor

__version__ = "0.1.0"
__all__ = ["Annotation", "Argument", "Document", "Event", "Extractor", "Mention", "Span", "__version__"]


def __getattr__(name: str) -> Any:
    """Bring the extractor, and numpy with it, only when it is asked for (PEP 562)."""
    if name == "Extractor":
        from saytara.pipeline import Extractor

        return Extractor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
