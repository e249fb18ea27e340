"""Decision tables go to DMN and come back as they were; what was edited there is taken over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.domain.errors import PolicyError
from shared.policy import parse_policy, source
from shared.policy.dmn import DecisionTable, TablesUnusable, merge, read_dmn, tables_of, to_dmn
from shared.policy.dmn.conditions import NoneOf, OneOf, Present, Range, Test
from shared.policy.dmn.errors import NotSayable
from shared.policy.dmn.feel import fact_of, name_of, read_tests
from shared.policy.dmn.tables import HITS, OUTPUTS

POLICIES = Path(__file__).resolve().parents[3] / "examples" / "policies"

each_policy = pytest.mark.parametrize("name", ["xiaoshan.yaml", "message-board.yaml"])

Edit = Callable[..., bytes]


def _exported(data: Any, version: str = "1.5") -> bytes:
    return to_dmn(tables_of(data), "test", "Test", version).encode()


def _same(one: list[DecisionTable], other: list[DecisionTable]) -> bool:
    return len(one) == len(other) and all(map(DecisionTable.same_as, one, other))


@pytest.fixture
def edited(small_text: str) -> Edit:
    """The small policy with its tables after edits in the DMN text."""

    def edit(*changes: tuple[str, str], text: str = small_text) -> bytes:
        content = text.encode()
        data = source.read("small.yaml", content).data
        dmn = _exported(data).decode()
        for old, new in changes:
            assert old in dmn
            dmn = dmn.replace(old, new)
        names = {rule.name for table in tables_of(data) for rule in table.rules}
        return merge("small.yaml", content, read_dmn("small.dmn", dmn.encode(), names))

    return edit


@each_policy
@pytest.mark.parametrize("version", ["1.5", "1.3"])
def test_the_shipped_tables_come_back_and_change_no_byte(name: str, version: str) -> None:
    content = (POLICIES / name).read_bytes()
    data = source.read(name, content).data
    back = read_dmn(name, _exported(data, version))
    assert _same(tables_of(data), back)
    assert merge(name, content, back) == content


_words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1)
_names = _words.filter(str.strip)
_integers = st.integers(-(10**15), 10**15)
_values = {"text": _words, "integer": _integers, "boolean": st.booleans()}
_facts = {"customer": "text", "24h-duty": "text", "affected": "integer", "not": "boolean"}


@st.composite
def _conditions(draw: st.DrawFn, kind: str) -> Any:
    value = _values[kind]
    several = st.lists(value, min_size=1, max_size=3)
    form = draw(st.sampled_from(["value", "list", "braces"]))
    if form != "braces":
        return draw(value if form == "value" else several)
    parts: dict[str, Any] = {"not": value | several, "present": st.booleans() | st.none()}
    if kind == "integer":
        ordered = st.tuples(_integers, _integers).map(sorted).map(list)
        parts |= {"at_least": _integers, "at_most": _integers, "between": ordered}
    chosen = draw(st.lists(st.sampled_from(sorted(parts)), min_size=1, unique=True))
    return {name: draw(parts[name]) for name in chosen}


@st.composite
def _outcomes(draw: st.DrawFn, table: str) -> dict[str, Any]:
    then: dict[str, Any] = {}
    for output in OUTPUTS[table]:
        if draw(st.booleans()):
            value: Any = _integers if output.type == "number" else _words
            then[output.name] = draw(st.lists(value, max_size=3) if output.many else value)
    return then


@st.composite
def _sections(draw: st.DrawFn, table: str) -> Any:
    rows = [
        {
            "name": draw(_names),
            "when": {
                fact: draw(_conditions(_facts[fact]))
                for fact in draw(st.lists(st.sampled_from(sorted(_facts)), unique=True))
            },
            "then": draw(_outcomes(table)),
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        return rows
    section = {"hit": draw(st.sampled_from(sorted(HITS))), "rows": rows}
    otherwise = draw(_outcomes(table))
    return section | ({"otherwise": otherwise} if otherwise else {})


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, Any]:
    attributes = {fact: {"type": kind} for fact, kind in _facts.items()}
    colours = [{"id": "red"}, {"id": "yellow"}]
    names = draw(st.sets(st.sampled_from(list(OUTPUTS)), min_size=1, max_size=2))
    tables = {name: draw(_sections(name)) for name in sorted(names)}
    return {"attributes": attributes, "colours": colours, **tables}


@settings(max_examples=20, deadline=None, phases=[Phase.generate])
@given(_policies())
def test_generated_tables_come_back_as_they_were(data: dict[str, Any]) -> None:
    assert _same(tables_of(data), read_dmn("generated.dmn", _exported(data)))


@settings(max_examples=20, deadline=None, phases=[Phase.generate])
@given(_policies(), _policies())
def test_any_tables_can_take_the_place_of_any_others(
    data: dict[str, Any], other: dict[str, Any]
) -> None:
    content = yaml.safe_dump(data, allow_unicode=True).encode()
    wanted = read_dmn("generated.dmn", _exported(other))
    merged = merge("generated.yaml", content, wanted)
    made = tables_of(source.read("generated.yaml", merged).data)
    names = {table.name for table in wanted}
    assert _same([table for table in made if table.name in names], wanted)
    assert {table.name for table in made} == names | (data.keys() & OUTPUTS.keys())


def test_a_unit_with_all_below_it_is_written_out_and_stays_as_it_was_said() -> None:
    unit = {"id": "house", "children": [{"id": "north", "children": [{"id": "hut"}]}]}
    rows = [{"name": "n", "when": {"station": {"within": "north"}}, "then": {"unit": "hut"}}]
    data = {"colours": [{"id": "red"}], "units": [unit], "triage": rows}
    dmn = _exported(data).decode()
    assert '<text>"north", "hut"</text>' in dmn
    content = yaml.safe_dump(data).encode()
    assert merge("w.yaml", content, read_dmn("w.dmn", dmn.encode())) == content


def test_only_the_row_that_was_edited_is_written_anew(small_text: str, edited: Edit) -> None:
    text = small_text.replace("  - name: many\n", "  # a remark of ours\n  - name: many\n")
    after = edited(("[100..1000]", "&gt; 250"), text=text).decode()
    assert after == text.replace("{at_least: 100, at_most: 1000}", "{at_least: 251}")


def test_rows_can_be_moved_added_and_taken_away(small_text: str) -> None:
    content = small_text.encode()
    triage = tables_of(source.read("small.yaml", content).data)[0]
    danger, hospital, *_, rest = triage.rules
    turned = DecisionTable("triage", (hospital, danger, rest))
    after = merge("small.yaml", content, [turned]).decode()
    start = small_text.index("  - name: danger\n")
    second, third = (small_text.index(f"  - name: {one}\n") for one in ("hospital", "many"))
    last, end = small_text.index("  - name: rest\n"), small_text.index("evaluators:")
    assert after == (
        small_text[:start] + small_text[second:third] + small_text[start:second]
        + small_text[last:end] + small_text[end:]
    )  # fmt: skip
    assert merge("small.yaml", after.encode(), [triage]).count(b"- name:") == 7


ESCALATION = """\
escalation:
  days: 2  # of the house
  first: 1
  repeat: true
  hit: rule-order
  rows:
    - name: red ones
      when: {colour: red, unit: {within: house}}
      then: {days: 1, to: [house]}
    # whatever else
    - {name: rest, when: {}, then: {to: []}}
"""


def test_escalation_keeps_its_pace_and_repetition_and_what_its_rows_still_ask(
    small_text: str, edited: Edit
) -> None:
    text = small_text.replace("escalation: {days: 2}\n", ESCALATION)
    assert edited(text=text).decode() == text
    after = edited(("<text>1</text>", "<text>3</text>"), text=text).decode()
    assert after == text.replace("then: {days: 1,", "then: {days: 3,")
    hit = 'id="table-escalation" hitPolicy="{}"'
    after = edited((hit.format("RULE ORDER"), hit.format("FIRST")), text=text).decode()
    assert after == text.replace("rule-order", "first")
    parse_policy("small.yaml", after.encode()).close()


def test_rows_of_escalation_that_dmn_adds_leave_the_rest_of_the_section(small_text: str) -> None:
    text = small_text.replace("{days: 2}", "{days: 2, first: 1, repeat: true}")
    rows = [{"name": "red", "when": {"colour": "red"}, "then": {"days": 1}}]
    data = source.read("s.yaml", text.encode()).data
    dmn = _exported({**data, "escalation": {"rows": rows}})
    after = merge("small.yaml", text.encode(), read_dmn("small.dmn", dmn))
    part = parse_policy("small.yaml", after).document.escalation
    assert (part.days, part.first, part.repeat, len(part.rows)) == (2, 1, True, 1)


def test_what_is_null_is_as_good_as_left_out(small_text: str, edited: Edit) -> None:
    text = small_text.replace(
        "{at_least: 100, at_most: 1000}",
        "{at_least: 100, at_most: null, between: null, within: null, not: null, present: null}",
    ).replace("then: {colour: yellow, unit: station}", "then: {colour: yellow, unit: null}")
    text += (
        "counts:\n  again: {title: {zh: 又, en: Again}, of: same-matter, days: 30}\n"
        "routing:\n  rows:\n"
        "    - {name: often, when: {again: {between: [2, 9]}}, then: {unit: north}}\n"
        "  otherwise: {unit: house}\n"
    )
    assert edited(text=text).decode() == text
    after = edited(("[2..9]", "[3..9]"), text=text).decode()
    assert "when: {again: {at_least: 3, at_most: 9}}" in after
    parse_policy("small.yaml", after.encode()).close()


def test_lines_of_windows_stay_so(small_text: str, edited: Edit) -> None:
    text = small_text.replace("\n", "\r\n")
    after = edited(("[100..1000]", "&lt; 7"), text=text)
    assert after.count(b"\n") == after.count(b"\r\n")
    assert b"affected: {at_most: 6}" in after


def test_another_hit_policy_writes_the_section_anew_and_nothing_else(
    small_text: str, edited: Edit
) -> None:
    after = edited(('id="table-triage" hitPolicy="FIRST"', 'id="table-triage" hitPolicy="UNIQUE"'))
    before, rest = small_text.split("triage:\n")
    assert after.decode().startswith(f"{before}triage:\n  hit: unique\n  rows:\n    - name: danger")
    assert after.decode().endswith(rest[rest.index("evaluators:") :])


def test_a_hit_policy_that_the_file_names_changes_in_its_place() -> None:
    text = (
        "colours: [{id: red}]\ntriage:\n  # why\n  hit: unique  # for now\n  rows:\n"
        "    # the first\n    - {name: one, when: {kind: [problem]}, then: {colour: red}}\n"
        "  otherwise: {colour: red}  # always\n# the end\n"
    )
    dmn = _exported(source.read("hit.yaml", text.encode()).data).decode()
    assert 'hitPolicy="UNIQUE"' in dmn
    wanted = read_dmn("hit.dmn", dmn.replace("UNIQUE", "PRIORITY").encode())
    after = merge("hit.yaml", text.encode(), wanted).decode()
    assert after == text.replace("unique", "priority")


def test_the_edited_name_wins_where_description_and_annotation_differ(edited: Edit) -> None:
    after = edited(("<description>many</description>", "<description>very many</description>"))
    assert b"- name: very many" in after
    after = edited(("<text>many</text>", "<text>far too many</text>"))
    assert b"- name: far too many" in after


@pytest.mark.parametrize(
    ("old", "new", "place", "mend"),
    [
        ("[100..1000]", "&gt;= 1.5", "inputEntry in-triage-3-4", "not whole"),
        ("[100..1000]", "? + 1 = 3", "inputEntry in-triage-3-4", "is not known here"),
        ("[100..1000]", "5, null", "inputEntry in-triage-3-4", "two rows"),
        ("<text>\"north\"</text>", "<text>north</text>", "outputEntry out-triage-3-unit",
         "no value"),
        ('id="table-triage" hitPolicy="FIRST"', 'id="table-triage" hitPolicy="OUTPUT ORDER"',
         "decisionTable table-triage", "FIRST"),
        ('hitPolicy="FIRST"', 'hitPolicy="COLLECT" aggregation="SUM"',
         "decisionTable table-triage", "remove the aggregation"),
        ('id="decision-triage" name="triage"', 'id="d1" name="guess"', "decision d1", "`triage`"),
        ("<text>affected</text>", "<text>affected * 2</text>", "input input-triage-affected",
         "write its name alone"),
        ('name="colour"', 'name="color"', "output output-triage-colour", "`colour`"),
        ("<description>many</description>", "<description>danger</description>",
         "rule rule-triage-3", "in both"),
    ],
)  # fmt: skip
def test_what_a_policy_cannot_say_is_refused_with_its_place_and_a_mend(
    edited: Edit, old: str, new: str, place: str, mend: str
) -> None:
    with pytest.raises(TablesUnusable) as told:
        edited((old, new))
    problem = next(one for one in told.value.problems if one.field == place)
    assert mend in problem.message


def test_tests_of_one_fact_that_contradict_each_other_are_refused(edited: Edit) -> None:
    with pytest.raises(TablesUnusable, match=r"row `not at home`.*nothing can satisfy all"):
        edited(('<text>not("home")</text>', '<text>"home"</text>'),
               ("<text>not(null)</text>", "<text>not(\"home\")</text>"))  # fmt: skip


def test_a_table_that_the_policy_refuses_is_told_by_line(edited: Edit) -> None:
    after = edited(('<text>"north"</text>', '<text>"nrth"</text>'))
    with pytest.raises(PolicyError, match=r"triage\[2\].then.unit: there is no unit `nrth`"):
        parse_policy("small.yaml", after)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<a", "not XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "Document types and entities"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "Document types and entities"),
        (b"<a>" * 100 + b"</a>" * 100, "more than 60 deep"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "more than 200,000 elements"),
        (b" " * 5_000_001, "at most 5,000,000"),
        (b"<a/>", "no DMN"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "not XML"),
    ],
)
def test_what_is_no_honest_dmn_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(TablesUnusable, match=message):
        read_dmn("bad.dmn", content)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("-", ()),
        ("  ", ()),
        ("[1..9]", (Range(1, 9),)),
        ("(1..9)", (Range(2, 8),)),
        ("]1..9[", (Range(2, 8),)),
        ("[-9 .. -1)", (Range(-9, -2),)),
        ("> -1", (Range(0, None),)),
        ("<5", (Range(None, 4),)),
        ("<= 5", (Range(None, 5),)),
        ('"a" , "b, c"', (OneOf(("a", "b, c")),)),
        ('"\\u4e2d\\"]"', (OneOf(('中"]',)),)),
        ("true", (OneOf((True,)),)),
        ('not( "a" )', (NoneOf(("a",)),)),
        ('not("a", null)', (NoneOf(("a",)), Present(known=True))),
        ("null", (Present(known=False),)),
        ("not(null)", (Present(known=True),)),
    ],
)
def test_unary_tests_mean_what_the_standard_says(cell: str, meant: tuple[Test, ...]) -> None:
    assert read_tests(cell) == meant


@pytest.mark.parametrize(
    "cell",
    ["[1..", "1..9", "not(", 'not("a"', "> \"a\"", '"a" "b"', '"a', "a", "[1..9], 11",
     "not([1..2])",
     "9" * 19, "> 1, < 5", '"\\q"', ",", "()", "%"],
)  # fmt: skip
def test_cells_that_are_none_are_refused(cell: str) -> None:
    with pytest.raises(NotSayable, match="write a value"):
        read_tests(cell)


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True) | st.sampled_from(["if", "null"]))
def test_every_facts_name_comes_back(fact: str) -> None:
    assert fact_of(name_of(fact)) == fact
