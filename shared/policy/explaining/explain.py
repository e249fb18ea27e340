"""Why a case was decided as it was, why not otherwise, and what would have to differ. Pure.

An explanation is made anew from what a decision keeps: the policy's version and the facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from shared.domain.aggregates import Decision, Handling
from shared.domain.case import Scalar
from shared.domain.errors import Problem
from shared.domain.model import Instant, View
from shared.policy.deciding.decide import roles
from shared.policy.deciding.evaluators import resolve
from shared.policy.deciding.facts import HandlingFacts
from shared.policy.deciding.sections import Section, before, sections
from shared.policy.deciding.tree import Tree
from shared.policy.engine.interpreter import decide
from shared.policy.engine.table import Facts, Hit, Predicate, Table
from shared.policy.explaining.clocks import ClockExplanation, due_at, explain_clocks
from shared.policy.explaining.hypothetical import Hypothetical, case_of, handling_of
from shared.policy.policy import CompiledPolicy
from shared.policy.schema.names import suggest

NEAREST = 5
"""Rows that are named as having nearly matched."""


class Asked(View):
    """One condition of a row, beside what the case had."""

    fact: str
    value: Scalar | None
    """None where the fact was absent."""
    any_of: tuple[Scalar, ...] | None = None
    none_of: tuple[Scalar, ...] | None = None
    at_least: int | None = None
    at_most: int | None = None
    present: bool | None = None
    holds: bool


class NearRow(View):
    """A row that did not decide."""

    row: str
    differs: tuple[Asked, ...]
    """The conditions that did not hold."""
    late: bool
    """It stands behind the row that decided, which would have to differ as well."""


class AlsoRow(View):
    """A row that decided together with another one."""

    row: str
    why: tuple[Asked, ...]


class TableExplanation(View):
    """What one table said, and why."""

    table: str
    hit: Hit
    facts: dict[str, Scalar | None]
    """What its rows could see; an absent fact is null."""
    rows: tuple[str, ...]
    """The rows that decided: none where no row matched."""
    why: tuple[Asked, ...]
    """The conditions of the first of them; none where it takes every case."""
    also: tuple[AlsoRow, ...]
    """Those that decided together with the first, under `rule-order` and `collect`."""
    nearly: tuple[NearRow, ...]
    """The rows that came nearest, and what would have to differ for each."""
    behind: tuple[str, ...]
    """Rows that matched as well, and do not decide."""
    otherwise: bool
    """Whether no row matched, and the table says what is decided then."""
    conflict: tuple[str, str] | None
    """Two rows that matched together though the hit policy excludes it; the first decided."""


class RoleExplanation(View):
    """Whom a role of the evaluator mapping reached."""

    role: str
    reached: tuple[str, ...]
    """Empty where the case has nobody in this role, or only who handled it."""


class Explanation(View):
    """A decision, table by table."""

    policy_version: str
    refused: tuple[Problem, ...] = ()
    """Why intake would not take the case in, where it would not."""
    category: str | None = None
    item: str | None = None
    """As given, or found from the text."""
    decision: Decision
    due_at: Instant | None = None
    """The end of the last working day, or hour of work, for the answer."""
    clocks: ClockExplanation | None
    """None where no answer is owed."""
    tables: tuple[TableExplanation, ...]
    roles: tuple[RoleExplanation, ...]
    evaluators: tuple[str, ...]
    """Who may rate, the first preferred; empty where no answer is owed."""
    escalation: tuple[str, ...]
    """The units to which the case climbs once it is overdue, step by step."""


def explain(
    given: Hypothetical, policy: CompiledPolicy, now: datetime | None = None
) -> Explanation:
    """What would become of a case that nobody recorded."""
    refused = (*policy.admit(given.submission), *_unknown_unit(given, policy))
    case = case_of(given, policy, now)
    decision = policy.triage(case)
    handling = handling_of(case, decision, policy, given.answered_by)
    made = _explain(decision, handling, policy, case.recorded_at)
    return made.model_copy(
        update={"refused": refused, "category": case.category, "item": case.item}
    )


def explain_recorded(decision: Decision, handling: Handling, policy: CompiledPolicy) -> Explanation:
    """Why a recorded case was decided so, by the policy whose version the decision names."""
    category, item = decision.facts.get("category"), decision.facts.get("item")
    made = _explain(decision, handling, policy, handling.started_at)
    return made.model_copy(update={
        "category": None if category is None else f"{category}",
        "item": None if item is None else f"{item}",
    })  # fmt: skip


def explain_table(table: Table, facts: Facts) -> TableExplanation:
    """What a table says of facts, and how far its other rows were from saying something."""
    verdict = decide(table, facts)
    asked = [[_asked(test, facts) for test in row.tests] for row in table.rows]
    failed = [tuple(one for one in tests if not one.holds) for tests in asked]
    matching = [index for index, differs in enumerate(failed) if not differs]
    decided = verdict.rows
    nearest = sorted(
        (index for index, differs in enumerate(failed) if differs),
        key=lambda index: (len(failed[index]), index),
    )
    return TableExplanation(
        table=table.name,
        hit=table.hit,
        facts={fact: facts.get(fact) for fact in table.types},
        rows=tuple(table.rows[index].name for index in decided),
        why=tuple(asked[decided[0]]) if decided else (),
        also=tuple(
            AlsoRow(row=table.rows[index].name, why=tuple(asked[index])) for index in decided[1:]
        ),
        nearly=tuple(
            NearRow(
                row=table.rows[index].name,
                differs=failed[index],
                late=_late(table, decided, index),
            )
            for index in nearest[:NEAREST]
        ),
        behind=tuple(table.rows[index].name for index in matching if index not in decided),
        otherwise=not decided and table.otherwise,
        conflict=None
        if verdict.conflict is None
        else (table.rows[verdict.conflict[0]].name, table.rows[verdict.conflict[1]].name),
    )


def _late(table: Table, decided: tuple[int, ...], index: int) -> bool:
    """Whether a row would not decide, even if it matched: it stands behind the one that does."""
    return bool(decided) and not table.hit.takes_all and index not in before(table, decided[0])


def _explain(
    decision: Decision, handling: Handling, policy: CompiledPolicy, start: datetime | None
) -> Explanation:
    document, tree = policy.document, Tree.of(policy.document.units)
    seen = {**decision.facts, "colour": decision.colour}
    answered = HandlingFacts(document, policy.units).of(handling)
    tables, asked = [], []
    for section in sections(document):
        if section.name == "routing" and decision.routing_row is None:
            continue
        if section.of_handling and not decision.answer_owed:
            continue
        explained = explain_table(section.table, answered if section.of_handling else seen)
        tables.append(explained)
        if section.name == "evaluators":
            asked = _roles(section, explained)
    return Explanation(
        policy_version=policy.version,
        decision=decision,
        due_at=due_at(handling.limits, policy, start),
        clocks=explain_clocks(handling, policy, start) if decision.answer_owed else None,
        tables=tuple(tables),
        roles=tuple(
            RoleExplanation(role=role, reached=tuple(resolve([role], handling, tree)))
            for role in asked
        ),
        evaluators=tuple(policy.evaluators(handling)) if decision.answer_owed else (),
        escalation=policy.escalation(handling).units if decision.answer_owed else (),
    )


def _unknown_unit(given: Hypothetical, policy: CompiledPolicy) -> Iterator[Problem]:
    unit = given.answered_by.unit if given.answered_by else None
    if unit is not None and unit not in policy.units:
        message = f"The policy has no unit `{unit}`: {suggest(unit, policy.units)}"
        yield Problem(field="answered_by.unit", code="unknown-unit", message=message)


def _roles(section: Section, explained: TableExplanation) -> list[str]:
    outcomes = [
        outcome
        for row, outcome in zip(section.rows, section.outcomes, strict=True)
        if row.name in explained.rows
    ]
    if not outcomes and section.otherwise is not None:
        outcomes = [section.otherwise]
    return roles(section.hit, [outcome.ask for outcome in outcomes])


def _asked(test: Predicate, facts: Facts) -> Asked:
    value = facts.get(test.fact)
    return Asked(
        fact=test.fact,
        value=value,
        any_of=test.any_of,
        none_of=test.none_of,
        at_least=test.at_least,
        at_most=test.at_most,
        present=test.present,
        holds=test.holds(value),
    )
