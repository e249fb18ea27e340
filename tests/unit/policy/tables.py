"""Generated decision tables of all hit policies, and facts that lie near their rows."""

from __future__ import annotations

import random
from typing import Any

from shared.policy.engine.table import FactType, Hit, Predicate, Row, Table

TYPES = {
    "colour": FactType.TEXT,
    "place": FactType.TEXT,
    "size": FactType.INTEGER,
    "age": FactType.INTEGER,
    "wet": FactType.BOOLEAN,
}
WORDS = ["红", "绿", "blue", "x" * 200, "'\"\\{}", "0", "1", "true", ""]
NUMBERS = [-(10**15), -1, 0, 1, 2, 7, 10**15]


def values_of(kind: FactType, chance: random.Random) -> Any:
    """A value of this type, often one that tables name."""
    if kind is FactType.INTEGER:
        return chance.choice([*NUMBERS, chance.randrange(-3, 10)])
    return chance.choice(WORDS) if kind is FactType.TEXT else chance.random() < 0.5


def predicate(fact: str, chance: random.Random) -> Predicate:
    """A test of any shape that the language has, senseless ones too."""
    kind = TYPES[fact]
    some = tuple({values_of(kind, chance) for _ in range(chance.choice([1, 1, 2, 4, 11]))})
    shapes: list[dict[str, Any]] = [
        {"any_of": some},
        {"none_of": some},
        {"any_of": some, "none_of": some[:1]},
        {"present": chance.random() < 0.5},
    ]
    if kind is FactType.INTEGER:
        low, high = sorted(chance.sample(NUMBERS, 2))
        shapes += [{"at_least": low}, {"at_most": high}, {"at_least": low, "at_most": high}]
        shapes += [{"at_least": low, "none_of": some}, {"any_of": some, "at_most": high}]
    return Predicate(fact, **chance.choice(shapes))


def table_of(seed: int, hit: Hit = Hit.FIRST) -> Table:
    """A table of up to 150 rows with up to four conditions of any shape; one in three is short."""
    chance = random.Random(seed)
    rows = []
    for number in range(chance.randrange(1, 6) if seed % 3 else chance.randrange(6, 150)):
        facts = chance.sample(sorted(TYPES), chance.choice([0, 1, 2, 3, 4] if number else [1]))
        tests = tuple(predicate(fact, chance) for fact in facts)
        rows.append(Row(f"r{number}", tests, chance.choice("abc"), chance.randrange(3)))
    return Table.of("generated", TYPES, tuple(rows), hit)


def facts_of(chance: random.Random) -> dict[str, Any]:
    """Facts for such a table, some of them absent."""
    absent = chance.random() * 0.5
    return {
        fact: None if chance.random() < absent else values_of(kind, chance)
        for fact, kind in TYPES.items()
    }


def big_table(rows: int, hit: Hit = Hit.FIRST) -> Table:
    """A long table over eleven facts, of which each row tests four."""
    chance = random.Random(rows)
    types = {f"f{n}": FactType.TEXT for n in range(10)} | {"n": FactType.INTEGER}
    made = []
    for number in range(rows):
        tests = [
            Predicate(fact, any_of=tuple(chance.sample(WORDS, chance.choice([1, 1, 3]))))
            for fact in chance.sample([f"f{n}" for n in range(10)], 3)
        ]
        tests.append(Predicate("n", at_least=chance.randrange(50)))
        made.append(Row(f"r{number}", tuple(tests), chance.choice("abc"), chance.randrange(3)))
    made.append(Row("rest", ()))
    return Table.of("big", types, tuple(made), hit)
