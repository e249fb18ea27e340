"""Scenarios run on the path of real cases, and say what came otherwise."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from shared.domain.errors import ConfigurationError
from shared.policy import CompiledPolicy
from shared.policy.trying.junit import to_junit
from shared.policy.trying.scenarios import beside, run
from tests.unit.policy.places import POLICIES


@pytest.mark.parametrize("name", ["xiaoshan", "message_board"])
def test_the_policies_that_ship_do_what_their_scenarios_say_and_every_row_is_reached(
    name: str, request: pytest.FixtureRequest
) -> None:
    policy: CompiledPolicy = request.getfixturevalue(name)
    done = run(policy, beside(POLICIES / f"{name.replace('_', '-')}.yaml"))
    assert [result for result in done.results if not result.passed] == []
    assert done.unreached == {}
    assert done.reached == done.rows


SCENARIOS = """\
scenarios:
  - name: as expected
    case: {channel: hotline, category: power, item: outage, attributes: {customer: hospital}}
    expect: {colour: red, unit: repair, row: hospital}
  - name: the wrong colour, day and evaluators
    case:
      channel: hotline
      category: power
      recorded_at: 2020-01-06T09:00:00+08:00
      text: 着火
    expect: {colour: yellow, due: 2020-01-14, evaluators: ['person:me'], row: danger}
  - name: refused, which nobody expected
    case: {channel: visit, category: power}
    expect: {colour: red}
  - name: refused, as expected
    case: {channel: visit, category: staff}
    expect: {refused: [required, wrong-side]}
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    path = tmp_path / "small.scenarios.yaml"
    path.write_text(SCENARIOS, encoding="utf-8")
    return path


def test_what_came_otherwise_is_named_beside_what_was_expected(
    small: CompiledPolicy, scenarios: Path
) -> None:
    done = run(small, scenarios)
    good, wrong, refused, expected = done.results
    assert good.passed
    assert expected.passed
    told = {one.what: (one.expected, one.came) for one in wrong.differences}
    assert told == {
        "colour": ("yellow", "red"),
        # 6 January 2020 was a Monday: five working days later is the next one.
        "due": ("2020-01-14", "2020-01-13"),
        "evaluators": ("person:me", "unit:north, unit:house"),
    }
    assert [one.what for one in refused.differences] == ["refused"]
    assert "place" in refused.differences[0].came
    assert (
        wrong.line
        == SCENARIOS.splitlines().index("  - name: the wrong colour, day and evaluators") + 1
    )
    assert done.failed == 2


def test_rows_that_no_scenario_reaches_are_listed(small: CompiledPolicy, scenarios: Path) -> None:
    done = run(small, scenarios)
    assert done.unreached == {"triage": ("many", "not at home", "rest"), "evaluators": ("top",)}
    assert done.reached == done.rows - 4


def test_results_are_written_as_junit_reads_them(small: CompiledPolicy, scenarios: Path) -> None:
    root = ET.fromstring(to_junit(run(small, scenarios)))  # noqa: S314 - our own
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    failed = [
        case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["the wrong colour, day and evaluators", "refused, which nobody expected"]
    assert "triage: many" in (suite.findtext("system-out") or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenarios: []", "line 1: scenarios"),
        (SCENARIOS.replace("colour: yellow", "color: yellow"), r"line 11: .*expect\.color"),
        (SCENARIOS.replace("channel: visit", "chanel: visit"), "line 13: .*chanel"),
        ("scenarios: [", "not YAML"),
    ],
)
def test_a_file_that_holds_no_scenarios_is_refused_with_the_line(
    small: CompiledPolicy, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        run(small, path)


def test_a_missing_file_is_refused(small: CompiledPolicy, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        run(small, tmp_path / "nowhere.yaml")
