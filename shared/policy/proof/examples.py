"""From a solver's answer to a case that a person can read, and that `policy explain` takes."""

from __future__ import annotations

from shared.domain.aggregates import Actor
from shared.domain.case import GivenInformant, Kind
from shared.policy.explaining.hypothetical import Hypothetical
from shared.policy.proof.solver import Model
from shared.policy.proof.world import World

PERSON = "example-person"


def example(world: World, model: Model, *, answered: bool = False) -> Hypothetical:
    """The case of a model; `answered` says by whom as well."""
    document = world.document
    facts = {fact: choice.of(model) for fact, choice in world.case.items()}
    subject, text = world.texts.write(model)
    required = _required(world, facts["channel"], facts["station"])
    written = {
        name: facts[name]
        for name in ("channel", "category", "item", "source", "station", "campaign", "place")
    }
    attributes = {name: facts[name] for name in document.attributes if facts[name] is not None}
    counts = {name: facts[name] for name in document.counts}
    informant = GivenInformant()
    if facts["informant-known"]:
        contact = "example@example.org" if world.rateable in model else None
        informant = GivenInformant(name=PERSON, contact=contact)
    return Hypothetical.model_validate({
        **written,
        "kind": Kind(str(facts["kind"])),
        "subject": subject,
        "text": text or (subject if "text" in required else ""),
        "recorder": PERSON if "recorder" in required else None,
        "informant": informant,
        "attributes": attributes,
        "counts": {name: number for name, number in counts.items() if number is not None},
        "repeat_of": "earlier" if facts["repeat"] else None,
        # Whoever recorded a matter often answers it as well.
        "answered_by": _answering(world, model, "recorder" in required) if answered else None,
    })  # fmt: skip


def _required(world: World, channel: object, station: object) -> set[str]:
    levels = {level.id: level.requires for level in world.document.levels}
    fields = {
        field for part in world.document.channels if part.id == channel for field in part.requires
    }
    unit = world.tree.units.get(f"{station}")
    return fields | set(levels[unit.level] if unit else ())


def _answering(world: World, model: Model, recorded: bool) -> Actor:
    unit = world.handling["unit"].of(model)
    return Actor(unit=f"{unit}", person=PERSON if recorded else None)
