"""`policy check`: what is wrong with a policy, proved over all cases that can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

from shared.domain.model import View
from shared.policy.deciding.sections import Section, sections
from shared.policy.deciding.tree import Tree
from shared.policy.proof.escalation import ChainProof
from shared.policy.proof.evaluators import rated
from shared.policy.proof.findings import Finding, Place, of_problem
from shared.policy.proof.reading import Reading
from shared.policy.proof.rights import rights
from shared.policy.proof.solver import Literal
from shared.policy.proof.tables import TableProof
from shared.policy.proof.world import World
from shared.policy.schema.document import Document
from shared.policy.source import Source

PROVED_AS = {
    "no-catch-all": "incomplete",
    "no-evaluator": "incomplete",
    "unreachable": "unreachable",
    "contradiction": "unreachable",
    "overlap": "overlap",
}
"""By what loading refuses: the finding that tells the same, with a case."""


class Report(View):
    """What a check found."""

    file: str
    version: str | None
    """None where the file could not be read as a policy."""
    findings: tuple[Finding, ...]
    """In the order of the lines."""
    rows: int
    """Rows of all tables."""
    facts: int
    """Facts of a case that they can see."""
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing was found but notes."""
        return all(finding.note for finding in self.findings)


def check(reading: Reading) -> Report:
    """Everything that is wrong with a policy."""
    began = perf_counter()
    told = [of_problem(problem) for problem in reading.problems]
    found: list[Finding] = []
    rows = facts = 0
    if reading.policy is not None and reading.source is not None:
        document = reading.policy.document
        tables = sections(document)
        found = list(prove(document, tables, reading.source))
        rows = sum(len(section.rows) for section in tables)
        facts = len({fact for section in tables for fact in section.table.types})
    proved = {(finding.table, finding.code) for finding in found}
    told = [one for one in told if (one.table, PROVED_AS.get(one.code, "")) not in proved]
    return Report(
        file=reading.file,
        version=None if reading.policy is None else reading.policy.version,
        findings=tuple(sorted((*told, *found), key=lambda one: (one.line, one.column))),
        rows=rows,
        facts=facts,
        seconds=round(perf_counter() - began, 3),
    )


def prove(document: Document, tables: list[Section], source: Source) -> Iterator[Finding]:
    """The findings of the proofs, table by table."""
    world = World(document, Tree.of(document.units), tables)
    try:
        yield from _prove(world, {section.name: section for section in tables}, Place(source))
    finally:
        world.solver.close()


def _prove(world: World, tables: dict[str, Section], place: Place) -> Iterator[Finding]:
    if not world.solver.holds():
        message = (
            "No case can be taken in: no channel has a category of its side, with all that is"
            " required. Look at `side` and `requires` of the channels and levels."
        )
        yield place.finding(("channels",), "no-case", message)
        return
    proofs = table_proofs(world, tables, place)
    for name, proof in proofs.items():
        yield from proof.check()
        if name == "evaluators":
            yield from rated(proof)
    answered = proofs["evaluators"].premise
    yield from ChainProof(world, place, answered, proofs.get("escalation")).check()
    yield from rights(world, place, answered)


def table_proofs(
    world: World, tables: Mapping[str, Section], place: Place
) -> dict[str, TableProof]:
    """The tables by name, each with what holds of the cases that it is asked about."""
    triage = TableProof(world, tables["triage"], place)
    outcomes = list(_outcomes(triage))
    colours = world.handling["colour"].literals
    for outcome, decides in outcomes:
        world.solver.add(-decides, colours[outcome.colour])
    decided = world.solver.any_of(decides for _, decides in outcomes)
    # Its row of triage names no unit.
    unrouted = world.solver.any_of(decides for outcome, decides in outcomes if outcome.unit is None)
    answered = (_answered(world), decided)
    premises = {"routing": (unrouted,), "evaluators": answered, "escalation": answered}
    others = {
        name: TableProof(world, tables[name], place, premise)
        for name, premise in premises.items()
        if name in tables
    }
    return {"triage": triage, **others}


def _outcomes(proof: TableProof) -> Iterator[tuple[Any, Literal]]:
    section = proof.section
    yield from zip(section.outcomes, proof.decides, strict=True)
    if section.otherwise is not None:
        yield section.otherwise, proof.left_over


def _answered(world: World) -> Literal:
    """True of cases to which an answer is owed: no others are answered here, and rated."""
    owed = {kind.value for kind, part in world.document.kinds.items() if part.answer_owed}
    return world.solver.any_of(world.case["kind"].where(lambda kind: kind in owed))
