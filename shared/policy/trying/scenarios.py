"""Scenarios of a policy: given this case, expect that. Run on the path that real cases take.

A file of them stands beside the policy, `NAME.scenarios.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, ValidationError

from shared.domain.calendar import WorkingCalendar
from shared.domain.errors import ConfigurationError, PolicyError
from shared.domain.model import Input, View
from shared.policy import source as yaml_source
from shared.policy.deciding.decide import OTHERWISE
from shared.policy.deciding.sections import Section, sections
from shared.policy.explaining.explain import Explanation, TableExplanation, explain
from shared.policy.explaining.hypothetical import Hypothetical
from shared.policy.load import read_bytes
from shared.policy.policy import CompiledPolicy
from shared.policy.schema.vocabulary import Line


class Expected(Input):
    """What shall become of the case; what is left out is not looked at."""

    colour: str | None = None
    unit: str | None = None
    level: str | None = None
    category: str | None = None
    item: str | None = None
    answer_owed: bool | None = None
    due: date | None = None
    """The last day for the answer, where the house is."""
    due_at: AwareDatetime | None = None
    """The moment, for limits in hours of work."""
    accept_due: date | None = None
    """The last day on which the unit has to accept the case."""
    accept_due_at: AwareDatetime | None = None
    evaluators: tuple[str, ...] | None = None
    """All who may rate, in order."""
    escalation: tuple[str, ...] | None = None
    """The units to which it climbs, step by step."""
    first_step: date | None = None
    """The last day before the first step up the chain; the step is taken once it is over."""
    row: str | None = None
    """Which row of triage decides; here and below `otherwise` where none matches."""
    routing_row: str | None = None
    evaluator_row: str | None = None
    """The first of them, where several decide together."""
    escalation_row: str | None = None
    refused: tuple[str, ...] | None = None
    """The codes of all reasons for which intake refuses the case."""


class Scenario(Input):
    """One case and what is expected."""

    name: Line
    case: Hypothetical
    expect: Expected


class ScenarioFile(Input):
    """The whole file."""

    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=5000)]


class Difference(View):
    """Something that came otherwise."""

    what: str
    expected: str
    came: str


class Result(View):
    """What became of a scenario."""

    name: str
    line: int
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all came as expected."""
        return not self.differences


class Run(View):
    """What became of all scenarios of a file."""

    policy_version: str
    file: str
    results: tuple[Result, ...]
    rows: int
    """Rows of all tables, and the `otherwise` of those that have one."""
    unreached: dict[str, tuple[str, ...]]
    """By table: the rows that decided in no scenario."""

    @property
    def failed(self) -> int:
        """How many scenarios came otherwise."""
        return sum(not result.passed for result in self.results)

    @property
    def reached(self) -> int:
        """How many rows decided in at least one scenario."""
        return self.rows - sum(map(len, self.unreached.values()))


def beside(policy: Path) -> Path:
    """Where the scenarios of a policy file stand if nothing else is said."""
    return policy.with_name(f"{policy.stem}.scenarios.yaml")


def load_scenarios(path: Path) -> tuple[Sequence[Scenario], Sequence[int]]:
    """The scenarios of a file, and the line of each.

    Raises:
        ConfigurationError: the file cannot be read, or is not what a file of scenarios is.
    """
    try:
        source = yaml_source.read(f"{path}", read_bytes(path))
    except PolicyError as error:
        raise _unusable(path, [f"{problem}" for problem in error.problems]) from error
    try:
        parsed = ScenarioFile.model_validate(source.data)
    except ValidationError as error:
        lines = []
        for detail in error.errors(include_url=False, include_input=False):
            place = tuple(detail["loc"])
            known = place
            while known and known not in source.marks:
                known = known[:-1]
            line = source.marks.get(known, (1, 1))[0]
            lines.append(f"line {line}: {yaml_source.dotted(place)}: {detail['msg']}")
        raise _unusable(path, lines) from error
    numbers = range(len(parsed.scenarios))
    return parsed.scenarios, [source.marks["scenarios", number, "name"][0] for number in numbers]


def run(policy: CompiledPolicy, path: Path) -> Run:
    """Run the scenarios of a file.

    Raises:
        ConfigurationError: as `load_scenarios`.
    """
    scenarios, lines = load_scenarios(path)
    tables = sections(policy.document)
    unreached = {section.name: dict.fromkeys(_rows(section)) for section in tables}
    rows = sum(map(len, unreached.values()))
    results = []
    for scenario, line in zip(scenarios, lines, strict=True):
        began, fallbacks = perf_counter(), policy.fallbacks
        explained = explain(scenario.case, policy)
        differences = list(_differences(scenario.expect, explained, policy))
        if policy.fallbacks != fallbacks:
            differences.append(
                Difference(what="engine", expected="durable-rules decides", came="it failed")
            )
        results.append(Result(
            name=scenario.name, line=line, differences=tuple(differences),
            seconds=round(perf_counter() - began, 6),
        ))  # fmt: skip
        if not explained.refused:
            for table in explained.tables:
                for row in _decided(table):
                    unreached[table.table].pop(row, None)
    return Run(
        policy_version=policy.version,
        file=f"{path}",
        results=tuple(results),
        rows=rows,
        unreached={name: tuple(left) for name, left in unreached.items() if left},
    )


def _rows(section: Section) -> Iterator[str]:
    yield from (row.name for row in section.rows)
    if section.otherwise is not None:
        yield OTHERWISE


def _decided(table: TableExplanation) -> tuple[str, ...]:
    return (OTHERWISE,) if table.otherwise else table.rows


def _differences(
    expect: Expected, explained: Explanation, policy: CompiledPolicy
) -> Iterator[Difference]:
    codes = tuple(sorted(problem.code for problem in explained.refused))
    wanted = tuple(sorted(expect.refused or ()))
    if codes != wanted:
        told = "; ".join(map(str, explained.refused)) or "taken in"
        yield Difference(what="refused", expected=", ".join(wanted) or "taken in", came=told)
    if codes:
        return
    came = _came(explained, policy)
    for what, value in expect.model_dump(exclude_none=True, exclude={"refused"}).items():
        if value != came[what]:
            yield Difference(what=what, expected=_shown(value), came=_shown(came[what]))


def _came(explained: Explanation, policy: CompiledPolicy) -> Mapping[str, Any]:
    decision, clocks, calendar = explained.decision, explained.clocks, policy.calendar
    rows = {table.table: next(iter(_decided(table)), None) for table in explained.tables}
    accept = None if clocks is None else clocks.accept_due_at
    first_step = None if clocks is None else clocks.pace.first_step_at
    return {
        "colour": decision.colour,
        "unit": decision.unit,
        "level": decision.level,
        "category": explained.category,
        "item": explained.item,
        "answer_owed": decision.answer_owed,
        "due": _day(explained.due_at, calendar),
        "due_at": explained.due_at,
        "accept_due": _day(accept, calendar),
        "accept_due_at": accept,
        "evaluators": explained.evaluators,
        "escalation": explained.escalation,
        "first_step": _day(first_step, calendar),
        "row": decision.row,
        "routing_row": decision.routing_row,
        "evaluator_row": rows.get("evaluators"),
        "escalation_row": rows.get("escalation"),
    }


def _day(moment: datetime | None, calendar: WorkingCalendar) -> date | None:
    return None if moment is None else calendar.local_day(moment)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nobody"
    if value is None:
        return "none"
    return f"{value}".lower() if isinstance(value, bool) else f"{value}"


def _unusable(path: Path, lines: Sequence[str]) -> ConfigurationError:
    told = "\n".join(f"  {line}" for line in lines)
    return ConfigurationError(f"The scenarios {path} cannot be used:\n{told}")
