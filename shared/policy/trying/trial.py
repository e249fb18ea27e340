"""The child process of a rehearsal: load, compile, compare the engine with the reference.

Run as `python -m shared.policy.trying.trial FILE < content`; it exits with 0 and the version, or
with `REFUSED` and the problems as JSON.
"""

from __future__ import annotations

import json
import random
import resource
import sys
from collections.abc import Iterator

from shared.domain.case import Scalar
from shared.domain.errors import PolicyError, Problem
from shared.policy.deciding.rows import tables
from shared.policy.engine import interpreter
from shared.policy.engine.durable import DurableEngine
from shared.policy.engine.table import Facts, FactType, Table
from shared.policy.load import parse_policy
from shared.policy.trying.rehearsal import REFUSED

SAMPLES = 2000
"""Generated fact sets per table."""

MEMORY = 1024**3
"""Bytes of addresses that a trial may use: one of 2,000 rows takes a fifth."""


def limit_memory(most: int = MEMORY) -> None:
    """Let this process fail rather than take the machine's memory; no core file is written."""
    for what, value in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (bounded, hard))


def differences(table: Table, samples: int = SAMPLES) -> list[Facts]:
    """Generated facts for which the engine and the reference interpreter do not agree."""
    engine = DurableEngine(table)
    try:
        engine.warm()
        return [
            facts
            for facts in generated(table, samples)
            if engine.decide(facts) != interpreter.decide(table, facts) or engine.fallbacks
        ]
    finally:
        engine.close()


def generated(table: Table, samples: int) -> Iterator[dict[str, Scalar | None]]:
    """Fact sets that lie near the table's rows, the same ones for the same table.

    Values that nobody names would match nothing but the last row: so each set begins as one that
    satisfies a row, and some of its facts are then drawn anew.
    """
    chance = random.Random(0)
    choices = {fact: _choices(table, fact) for fact in table.types}
    for number in range(samples if table.rows else 0):
        facts = {fact: chance.choice(values) for fact, values in choices.items()}
        row = table.rows[number % len(table.rows)]
        for test in row.tests:
            fitting = [value for value in choices[test.fact] if test.holds(value)]
            if fitting and chance.random() < 0.9:
                facts[test.fact] = chance.choice(fitting)
        yield facts


def _choices(table: Table, fact: str) -> list[Scalar | None]:
    if table.types[fact] is FactType.BOOLEAN:
        return [None, True, False]
    values: set[Scalar] = set() if table.types[fact] is FactType.INTEGER else {"something else"}
    for test in (test for row in table.rows for test in row.tests if test.fact == fact):
        named = {*(test.any_of or ()), *(test.none_of or ())}
        numbers = {value for value in (test.at_least, test.at_most, *named) if type(value) is int}
        values |= named | {number + step for number in numbers for step in (-1, 0, 1)}
    return [None, *sorted(values, key=repr)]


def _main(file: str, content: bytes) -> int:
    problems: list[Problem] = []
    version = ""
    try:
        policy = parse_policy(file, content)
        version = policy.version
        for table in tables(policy.document):
            for facts in differences(table)[:1]:
                message = f"The engine decides wrongly for {facts}."
                problems.append(Problem(field=table.name, code="engine-differs", message=message))
    except PolicyError as error:
        problems.extend(error.problems)
    told = json.dumps([problem.plain() for problem in problems]) if problems else version
    sys.stdout.write(told)
    return REFUSED if problems else 0


if __name__ == "__main__":
    limit_memory()
    sys.exit(_main(sys.argv[1], sys.stdin.buffer.read()))
