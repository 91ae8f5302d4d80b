"""Link a whole annotation: places, actors and times, with a warning for each reason why something stays open.

Composes the linkers; holds no rule of its own.
"""

from dataclasses import replace
from typing import Protocol

from saytara.document import Annotation, Entry
from saytara.linking.actors import ActorLinker
from saytara.linking.dates import TimeLinker
from saytara.linking.places import PlaceLinker


class Linker(Protocol):
    """Resolves the mentions of one kind."""

    def link(self, annotation: Annotation) -> tuple[dict[str, Entry], list[str]]:
        """Entries by mention id, and warnings about what could not be resolved.

        `annotation` holds the entries that earlier linkers have found.
        """
        ...


def link(annotation: Annotation, linkers: tuple[Linker, ...]) -> Annotation:
    """Run the linkers one after the other; each sees what those before it found."""
    for linker in linkers:
        entries, warnings = linker.link(annotation)
        annotation = replace(
            annotation,
            entries={**annotation.entries, **entries},
            warnings=(*annotation.warnings, *warnings),
        )
    return annotation


def default_linkers() -> tuple[Linker, ...]:
    """The packaged linkers, in the order in which they help each other: places, actors, times."""
    return (PlaceLinker(), ActorLinker(), TimeLinker())
