"""Is there somebody, for every case that is answered, who may rate and did not handle it?

What is certain of a unit are the ties that the tree gives it. The informant counts where the case
says how to ask, the station where it is another unit. A recorder may be the one who answers, so
that nobody can rely on one. The unit that holds the case is taken to be the one that answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.policy.deciding.tree import Tree
from shared.policy.proof.examples import example
from shared.policy.proof.findings import Finding
from shared.policy.proof.solver import Literal
from shared.policy.proof.tables import TableProof


def rated(proof: TableProof) -> Iterator[Finding]:
    """Cases for which the mapping names somebody, and nobody is left."""
    solver, section = proof.world.solver, proof.section
    asked: list[tuple[int | None, str, Sequence[str], Literal]] = [
        (index, row.name, section.outcomes[index].ask, proof.decides[index])
        for index, row in enumerate(section.rows)
    ]
    if section.otherwise is not None:
        asked.append((None, "otherwise", section.otherwise.ask, proof.left_over))
    # With several rows that decide, one that reaches somebody is enough.
    silent = [solver.any_of((-here, -_somebody(proof, roles))) for _, _, roles, here in asked]
    for index, name, roles, here in asked:
        model = proof.world.plainest(*proof.premise, here, *silent)
        if model is None:
            continue
        unit = f"{proof.world.handling['unit'].of(model)}"
        message = (
            f"When `{unit}` answers this case, nobody is left to rate it: `{name}` asks"
            f" {', '.join(f'`{role}`' for role in roles)}. {_mend(proof.world.tree, unit)}"
        )
        left_over = (section.name, "otherwise")
        yield proof.place.finding(
            left_over if index is None else section.path(proof.place.source, index),
            "no-evaluator",
            message,
            table=section.name,
            rows=(name,),
            example=example(proof.world, model, answered=True),
        )


def _somebody(proof: TableProof, roles: Sequence[str]) -> Literal:
    """True where one of these roles is somebody other than the unit that answers."""
    world = proof.world
    units = world.handling["unit"].literals
    reached: list[Literal] = []
    if "informant" in roles:
        reached.append(world.rateable)
    if "station" in roles:
        stations = world.case["station"].literals
        reached += [
            world.solver.all_of((here, -units[f"{unit}"]))
            for unit, here in stations.items() if unit is not None
        ]  # fmt: skip
    for unit, here in units.items():
        if any(_related(world.tree, f"{unit}", role) for role in roles):
            reached.append(here)
    return world.solver.any_of(reached)


def _related(tree: Tree, unit: str, role: str) -> bool:
    if role == "parent":
        return tree.units[unit].parent is not None
    ties = {"children": tree.children, "tied": tree.judges, "paired": tree.pairs}.get(role, {})
    return any(other != unit for other in ties.get(unit, ()))


def _mend(tree: Tree, unit: str) -> str:
    had = [role for role in ("children", "tied", "paired", "parent") if _related(tree, unit, role)]
    if had:
        named = " or ".join(f"`{role}`" for role in had)
        return f"Add {named}, which this unit has, to `ask`."
    return "Tie it to another unit by `tied_to` or `paired_with`, and name that role in `ask`."
