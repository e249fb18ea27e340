"""A mistaken table is refused with what is wrong, where, and how to mend it."""

from __future__ import annotations

import pytest

from shared.domain.errors import PolicyError
from shared.policy import parse_policy
from tests.unit.policy.samples import ESCALATION, PRIORITY, ROUTED, UNIQUE, with_section

ROW = "\n  - {name: tested, when: {%s}, then: {colour: red, unit: repair}}"
REST = "\n  - {name: rest, when: {}, then: {colour: yellow, unit: station}}"
COUNT = "\n  again: {title: {zh: 又, en: Again}, %s}"
COLLECT = PRIORITY.replace("hit: priority", "hit: collect")
RANKED = "\n  hit: priority\n  rows:\n    - {name: a, when: {}, then: {unit: north}}"
ASKS_TOP = "\n  hit: unique\n  rows:\n    - {name: a, when: {level: top}, then: {ask: [children]}}"

MISTAKES = [
    # (section, its text, where it is reported, code, what helps)
    ("triage", COLLECT, "triage.hit", "hit", "a case gets one colour"),
    ("triage", PRIORITY.replace("priority", "best"), "triage.hit", "enum", "'best'"),
    ("triage", UNIQUE.replace("hit:", "hits:"), "triage.hits", "extra-forbidden", "`hit`"),
    ("triage", " everything", "triage", "table", "`{hit: …, rows: […]}`"),
    ("triage", "\n  hit: first", "triage.rows", "missing", "required"),
    ("triage", "\n  hit: first\n  rows: []", "triage.rows", "too-short", "at least 1"),
    ("triage", UNIQUE.replace("colour: red", "colour: rad"), "triage.rows[1].then.colour",
     "unknown-colour", "`red`"),
    ("triage", UNIQUE.partition("  otherwise")[0], "triage", "no-catch-all", "`otherwise`"),
    ("triage", UNIQUE.partition("  otherwise")[0] + "  otherwise:", "triage", "no-catch-all",
     "`otherwise`"),
    ("triage", REST.replace(", unit: station", "") + "\nrouting:", "triage[0].then", "no-unit",
     "`routing`"),
    ("triage", UNIQUE.replace("{at_least: 10}", "{present: true}").replace("few,", "many,"),
     "triage.rows[1].name", "duplicate", "twice"),
    ("triage", UNIQUE.replace("affected: {at_least: 10}", ""), "triage.rows[1].when", "overlap",
     "`otherwise`"),
    ("triage", PRIORITY + "  otherwise: {colour: red, unit: north}", "triage.otherwise",
     "unreachable", "one of both"),
    ("triage", UNIQUE.replace("unit: station}", "unit: nowhere}"), "triage.otherwise.unit",
     "unknown-unit", "`north`"),
    ("triage", UNIQUE.replace(", unit: station}", "}"), "triage.otherwise", "no-unit", "`unit`"),
    ("triage", REST.replace(", unit: station", ""), "triage[0].then", "no-unit", "`routing`"),
    ("routing", "\n  - {name: all, when: {}, then: {unit: north}}", "routing", "unreachable",
     "Leave `unit` out"),
    ("triage", ROUTED.partition("routing")[0] + "routing:" + RANKED, "routing.hit",
     "hit", "goes to one unit"),
    ("triage", ROUTED.replace("unit: category-unit", "unit: category"), "routing[1].then.unit",
     "unknown-unit", "`category-unit`"),
    ("triage", ROUTED.replace("by matter, when: {}", "by matter, when: {kind: problem}"),
     "routing[1].when", "no-catch-all", "`when: {}`"),
    ("triage", ROUTED.replace("colour: yellow}, then: {unit", "color: yellow}, then: {unit"),
     "routing[0].when.color", "unknown-fact", "`colour`"),
    ("triage", ROW % "colour: red" + REST, "triage[0].when.colour", "unknown-fact", "no fact"),
    ("triage", ROW % "station: {within: nort}" + REST, "triage[0].when.station.within",
     "unknown-unit", "`north`"),
    ("triage", ROW % "item: {within: outage}" + REST, "triage[0].when.item.within",
     "unknown-category", "there is no category"),
    ("triage", ROW % "item: {within: staff}" + REST, "triage[0].when.item.within",
     "contradiction", "no items"),
    ("triage", ROW % "customer: {within: house}" + REST, "triage[0].when.customer.within",
     "no-groups", "`station`"),
    ("triage", ROW % "station: {within: north, not: north}" + REST, "triage[0].when.station",
     "contradiction", "never hold"),
    ("triage", ROW % "affected: {between: [5, 2]}" + REST, "triage[0].when.affected",
     "order", "smaller number"),
    ("triage", ROW % "affected: {between: [5]}" + REST, "triage[0].when.affected.between[1]",
     "missing", "required"),
    ("triage", ROW % "customer: {between: [1, 5]}" + REST, "triage[0].when.customer",
     "wrong-type", "no number"),
    ("triage", ROW % "customer: {matches: '^(a+)+$'}" + REST, "triage[0].when.customer.matches",
     "extra-forbidden", "not known"),
    ("counts", COUNT % "of: same-matter", "counts.again", "days", "within how many"),
    ("counts", COUNT % "of: open-cases-of-unit, days: 3", "counts.again", "days", "leave `days`"),
    ("counts", COUNT % "of: everything", "counts.again.of", "literal-error", "'same-matter'"),
    ("counts", (COUNT % "of: same-matter, days: 30").replace("again", "danger"), "counts.danger",
     "reserved", "another name"),
    ("evaluators", ASKS_TOP, "evaluators", "no-evaluator", "`base`"),
    ("escalation", ESCALATION.format(hit="priority"), "escalation.hit", "hit", "`collect`"),
    ("escalation", ESCALATION.format(hit="first").replace("[house]", "[hose]"),
     "escalation.rows[0].then.to[0]", "unknown-unit", "`house`"),
    ("escalation", ESCALATION.format(hit="first").replace("days: 1, to: [house]", ""),
     "escalation.rows[0].then", "empty", "`days`"),
    ("mentions", "\n  danger: {title: {zh: 险, en: D}, keywords: ['  ']}",
     "mentions.danger.keywords[0]", "too-short", "two characters"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "text", "path", "code", "helps"),
    MISTAKES,
    ids=[f"{n}-{mistake[3]}" for n, mistake in enumerate(MISTAKES)],
)
def test_a_mistaken_rule_is_named_with_line_and_field(
    small_text: str, section: str, text: str, path: str, code: str, helps: str
) -> None:
    whole = with_section(small_text, section, text)
    with pytest.raises(PolicyError) as caught:
        parse_policy("bad.yaml", whole.encode())
    found = {(p.field.partition(": ")[2], p.code): p for p in caught.value.problems}
    assert (path, code) in found, caught.value.problems
    assert len(found) == 1, caught.value.problems
    problem = found[path, code]
    assert helps in problem.message
    first = whole[: whole.index(f"\n{section}:")].count("\n") + 2
    line = int(problem.field.split(",")[0].removeprefix("line "))
    assert first <= line <= first + text.count("\n") + 1


def test_tables_of_five_thousand_rows_are_refused_with_their_limit(small_text: str) -> None:
    rows = "".join((ROW % "kind: problem").replace("tested", f"r{n}") for n in range(5000)) + REST
    with pytest.raises(PolicyError) as caught:
        parse_policy("long.yaml", with_section(small_text, "triage", rows).encode())
    assert any(p.code == "too-long" and "2000" in p.message for p in caught.value.problems)
