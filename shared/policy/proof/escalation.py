"""Does every overdue case climb to somebody who can end it?

A chain that is said ends at the top of the tree. `escalates_to: []` is a decision, and is told as
a note; a unit at the top has nobody above it. By default the chain is the units above, which ends
there by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.policy.proof.examples import example
from shared.policy.proof.findings import Finding, Place
from shared.policy.proof.solver import Literal
from shared.policy.proof.world import World
from shared.policy.schema import UnitPart
from shared.policy.sections import TAKE_ALL, Section
from shared.policy.source import Path

Units = Iterator[tuple[Path, UnitPart]]


def chains(world: World, place: Place) -> Iterator[Finding]:
    """Units whose overdue cases stop on their way."""
    tree = world.tree
    for path, part in _walk(world.document.units, ("units",)):
        if part.escalates_to is None or tree.units[part.id].parent is None:
            continue
        chain = tree.chains[part.id]
        where = (*path, "escalates_to")
        if not chain:
            message = (
                f"Overdue cases of `{part.id}` climb to nobody, as `[]` says. Leave `escalates_to`"
                " out, and they climb to the units above it."
            )
            yield _shown(world, place, where, "no-chain", message, part.id, note=True)
        elif tree.units[chain[-1]].parent is not None:
            yield _shown(world, place, where, "chain-cut", _cut(world, part.id, chain), part.id)


def climbs(
    world: World, place: Place, section: Section, decides: list[Literal]
) -> Iterator[Finding]:
    """Rows of an escalation table whose chain stops below the top."""
    if section.hit in TAKE_ALL:
        return
    for index, outcome in enumerate(section.outcomes):
        chain = outcome.to
        if chain and world.tree.units[chain[-1]].parent is not None:
            model = world.plainest(decides[index])
            yield place.finding(
                section.path(place.source, index), "chain-cut",
                _cut(world, section.rows[index].name, chain), table=section.name,
                rows=(section.rows[index].name,),
                example=None if model is None else example(world, model, answered=True),
            )  # fmt: skip


def _cut(world: World, name: str, chain: Sequence[str]) -> str:
    last = chain[-1]
    top = last
    while (above := world.tree.units[top].parent) is not None:
        top = above
    return (
        f"Overdue cases of `{name}` climb no further than `{last}`, which stands below others: let"
        f" the chain end at the top, [{', '.join((*chain, top))}]."
    )


def _shown(
    world: World,
    place: Place,
    path: Path,
    code: str,
    message: str,
    unit: str,
    *,
    note: bool = False,
) -> Finding:
    model = world.plainest(world.handling["unit"].literals[unit])
    shown = None if model is None else example(world, model, answered=True)
    return place.finding(path, code, message, example=shown, note=note)


def _walk(parts: Sequence[UnitPart], path: Path) -> Units:
    for index, part in enumerate(parts):
        yield (*path, index), part
        yield from _walk(part.children, (*path, index, "children"))
