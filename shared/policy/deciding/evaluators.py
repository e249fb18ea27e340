"""Who may rate an answer: the roles of the mapping, resolved against the case and the tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shared.domain.aggregates import Handling
from shared.policy.deciding.tree import Tree


def resolve(roles: Sequence[str], handling: Handling, tree: Tree) -> list[str]:
    """The evaluators in the order of the roles, each once, without whoever handled the case.

    Each is `informant:REF`, `person:REF` or `unit:ID`.
    """
    found = (one for role in roles for one in _of_role(role, handling, tree))
    return [one for one in dict.fromkeys(found) if not handling.is_work_of(one)]


def _of_role(role: str, handling: Handling, tree: Tree) -> Iterator[str]:
    if role == "informant":
        # A reachable informant whom the source did not number is known by the case.
        ref = handling.informant_ref or (handling.case_id if handling.informant_reachable else None)
        if ref:
            yield f"informant:{ref}"
    elif role == "recorder":
        if handling.recorder:
            yield f"person:{handling.recorder}"
    else:
        yield from (f"unit:{unit}" for unit in _units_of_role(role, handling, tree))


def _units_of_role(role: str, handling: Handling, tree: Tree) -> Sequence[str]:
    unit = tree.units.get(handling.unit)
    if role == "station":
        station = tree.units.get(handling.station or "")
        return [station.id] if station else []
    if unit is None:
        return []
    if role == "parent":
        return [unit.parent] if unit.parent else []
    related: Mapping[str, Mapping[str, tuple[str, ...]]] = {
        "children": tree.children,
        "tied": tree.judges,
        "paired": tree.pairs,
    }
    return related[role][unit.id]
