"""The organisation tree: who is above, below, tied to and paired with whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.policy import Unit
from shared.policy.schema.document import Document, UnitPart


@dataclass(frozen=True, slots=True)
class Tree:
    """The units by id, and their ties, resolved once."""

    units: Mapping[str, Unit]
    children: Mapping[str, tuple[str, ...]]
    judges: Mapping[str, tuple[str, ...]]
    """By unit: the units that are tied to it and therefore judge it."""
    pairs: Mapping[str, tuple[str, ...]]
    chains: Mapping[str, tuple[str, ...]]
    """By unit: where an overdue case goes, step by step."""

    @classmethod
    def of(cls, roots: Sequence[UnitPart]) -> Tree:
        """The tree below these units."""
        placed = list(_walk(roots, None))
        units = {
            part.id: Unit(id=part.id, title=dict(part.title), level=part.level, parent=parent)
            for part, parent in placed
        }
        judges: dict[str, dict[str, None]] = {name: {} for name in units}
        pairs: dict[str, dict[str, None]] = {name: {} for name in units}
        for part, _ in placed:
            for other in part.tied_to:
                judges[other][part.id] = None
            for other in part.paired_with:
                pairs[part.id][other] = None
                pairs[other][part.id] = None
        return cls(
            units=units,
            children={part.id: tuple(child.id for child in part.children) for part, _ in placed},
            judges={name: tuple(others) for name, others in judges.items()},
            pairs={name: tuple(others) for name, others in pairs.items()},
            chains={part.id: _chain(part, units) for part, _ in placed},
        )


def _walk(parts: Sequence[UnitPart], parent: str | None) -> Iterator[tuple[UnitPart, str | None]]:
    for part in parts:
        yield part, parent
        yield from _walk(part.children, part.id)


def _chain(part: UnitPart, units: Mapping[str, Unit]) -> tuple[str, ...]:
    if part.escalates_to is not None:
        return part.escalates_to
    chain = []
    above = units[part.id].parent
    while above is not None:
        chain.append(above)
        above = units[above].parent
    return tuple(chain)


def targets(document: Document) -> dict[tuple[str, str | None], str]:
    """The unit of each category, and of each item that has one of its own."""
    targets: dict[tuple[str, str | None], str] = {}
    for category in document.categories:
        if category.unit is not None:
            targets[category.id, None] = category.unit
        for item in category.items:
            if item.unit is not None:
                targets[category.id, item.id] = item.unit
    return targets
