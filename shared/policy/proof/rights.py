"""Is there, for every unit that may have a case, somebody who may pause its clocks and extend them?

A unit at the top of the house has no parent: what only a `parent` may do, nobody does there. Where
nobody may ask for more time, nobody has to decide on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.domain.clock_rules import entitled
from shared.policy.proof.examples import example
from shared.policy.proof.findings import Finding, Place
from shared.policy.proof.solver import Literal
from shared.policy.proof.world import World
from shared.policy.source import Path


def rights(world: World, place: Place, premise: tuple[Literal, ...]) -> Iterator[Finding]:
    """What the policy lets nobody do for some unit; `premise` holds of every case with a clock."""
    for path, code, what, roles, unit in _missing(world):
        model = world.plainest(*premise, world.handling["unit"].literals[unit])
        if model is None:
            continue
        message = (
            f"When `{unit}` has the case, nobody may {what}: a unit at the top has no `parent`."
            f" Name a unit besides, such as [{', '.join((*roles, unit))}]."
        )
        shown = example(world, model, answered=True)
        yield place.finding(path, code, message, example=shown)


def _missing(world: World) -> Iterator[tuple[Path, str, str, Sequence[str], str]]:
    """Place, code, what nobody may do, the roles that may, and the unit."""
    for reason, pause in world.document.pauses.items():
        what = f"pause its clocks for `{reason}`"
        for unit in _without(world, pause.by):
            yield ("pauses", reason, "by"), "nobody-pauses", what, pause.by, unit
    more = world.document.extensions
    if more is not None:
        for unit in _without(world, more.decided_by):
            if entitled(more.asked_by, unit, None):
                place = ("extensions", "decided_by")
                yield place, "nobody-decides", "decide on more time", more.decided_by, unit


def _without(world: World, roles: Sequence[str]) -> Iterator[str]:
    """The units for which these roles are nobody."""
    for name, unit in world.tree.units.items():
        if not entitled(roles, name, unit.parent):
            yield name
