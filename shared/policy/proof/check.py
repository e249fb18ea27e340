"""`policy check`: what is wrong with a policy, proved over all cases that can be."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from shared.domain.model import Value
from shared.policy.proof.escalation import ChainProof
from shared.policy.proof.evaluators import rated
from shared.policy.proof.findings import Finding, Place, of_problem
from shared.policy.proof.reading import Reading
from shared.policy.proof.rights import rights
from shared.policy.proof.solver import Literal
from shared.policy.proof.tables import TableProof
from shared.policy.proof.world import World
from shared.policy.schema import Document
from shared.policy.sections import Section, sections
from shared.policy.source import Source
from shared.policy.tree import Tree

PROVED_AS = {
    "no-catch-all": "incomplete",
    "no-evaluator": "incomplete",
    "unreachable": "unreachable",
    "contradiction": "unreachable",
    "overlap": "overlap",
}
"""By what loading refuses: the finding that tells the same, with a case."""


class Report(Value):
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
    triage = TableProof(world, tables["triage"], place)
    yield from triage.check()
    colours = world.handling["colour"].literals
    for outcome, decides in _outcomes(triage):
        world.solver.add(-decides, colours[outcome.colour])
    if "routing" in tables:
        # Asked only about cases whose row of triage names no unit.
        silent = [decides for outcome, decides in _outcomes(triage) if outcome.unit is None]
        premise = (world.solver.any_of(silent),)
        yield from TableProof(world, tables["routing"], place, premise).check()
    yield from _of_answered(world, tables, place, triage)


def _of_answered(
    world: World, tables: dict[str, Section], place: Place, triage: TableProof
) -> Iterator[Finding]:
    """What is wrong with the cases to which triage gave a clock."""
    decided = world.solver.any_of(decides for _, decides in _outcomes(triage))
    answered = (_answered(world), decided)
    evaluators = TableProof(world, tables["evaluators"], place, answered)
    yield from evaluators.check()
    yield from rated(evaluators)
    escalation = None
    if "escalation" in tables:
        escalation = TableProof(world, tables["escalation"], place, answered)
        yield from escalation.check()
    yield from ChainProof(world, place, answered, escalation).check()
    yield from rights(world, place, answered)


def _outcomes(proof: TableProof) -> Iterator[tuple[Any, Literal]]:
    section = proof.section
    yield from zip(section.outcomes, proof.decides, strict=True)
    if section.otherwise is not None:
        yield section.otherwise, proof.left_over


def _answered(world: World) -> Literal:
    """True of cases to which an answer is owed: no others are answered here, and rated."""
    owed = {kind.value for kind, part in world.document.kinds.items() if part.answer_owed}
    return world.solver.any_of(world.case["kind"].where(lambda kind: kind in owed))
