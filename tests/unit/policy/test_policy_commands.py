"""`concentric policy`: exit codes, and what is printed."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from tests.unit.policy.places import POLICIES

XIAOSHAN = f"{POLICIES / 'xiaoshan.yaml'}"


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["policy", *words])


@pytest.fixture
def gap(small_text: str, tmp_path: Path) -> Path:
    path = tmp_path / "a house.yaml"
    path.write_text(
        small_text.replace(
            "  - name: rest\n    when: {}", "  - name: rest\n    when: {kind: complaint}"
        ),
        encoding="utf-8",
    )
    return path


def test_a_proved_policy_exits_with_0() -> None:
    done = _run("check", XIAOSHAN)
    assert done.exit_code == 0
    assert "proved for every case (21 rows over 12 facts" in done.stdout


def test_a_finding_exits_with_1_and_prints_a_command_that_shows_it(gap: Path) -> None:
    done = _run("check", f"{gap}")
    assert done.exit_code == 1
    message, command, *_ = done.stdout.splitlines()
    line = gap.read_text(encoding="utf-8").splitlines().index("triage:") + 1
    assert message.startswith(f"{gap}:{line}: triage: No row takes this case")
    words = shlex.split(command.removeprefix("  see: "))
    assert words[:3] == ["concentric", "policy", "explain"]
    shown = _run(*words[2:])
    assert shown.exit_code == 0
    assert "Triage: no row matched." in shown.stdout


def test_findings_are_told_as_json_with_the_case_that_shows_them(gap: Path) -> None:
    done = _run("check", f"{gap}", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["passed"]) == (1, False)
    finding = next(one for one in told["findings"] if one["code"] == "incomplete")
    again = _run("explain", f"{gap}", "--case", json.dumps(finding["example"]), "--json")
    explained = json.loads(again.stdout)["explanation"]
    assert explained["tables"][0]["rows"] == []


def test_a_file_that_is_no_policy_has_findings_and_one_that_is_not_there_exits_with_2(
    tmp_path: Path,
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("policy: wrong\n", encoding="utf-8")
    assert _run("check", f"{path}").exit_code == 1
    assert _run("check", f"{tmp_path / 'nowhere.yaml'}").exit_code == 2


def test_what_if_is_told_beside_what_is() -> None:
    case = '{"channel": "customer-hotline", "subject": "停电"}'
    done = _run("explain", XIAOSHAN, "--case", case, "--set", "customer=hospital", "--lang", "zh")
    assert done.exit_code == 0
    assert "分诊：由规则“outage at a place that cannot wait”决定。" in done.stdout
    assert "  分诊：由规则“outage”决定。" in done.stdout
    told = json.loads(
        _run("explain", XIAOSHAN, "--case", case, "--set", "customer=hospital", "--json").stdout
    )
    assert told["explanation"]["decision"]["row"] == "outage at a place that cannot wait"
    assert told["before"]["decision"]["row"] == "outage"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("nowhere.json", "cannot be read"),
        ('{"chanel": "x"}', "channel"),
        ("{", "This is no case"),
    ],
)
def test_a_wrong_case_exits_with_2_and_says_why(case: str, message: str) -> None:
    done = _run("explain", XIAOSHAN, "--case", case)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_case_can_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"channel": "web-message", "subject": "变压器噪音太大"}', encoding="utf-8")
    done = _run("explain", XIAOSHAN, "--case", f"{path}")
    assert "hazard on the grid" in done.stdout


def test_scenarios_exit_with_0_and_with_1_where_one_came_otherwise(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    done = _run("test", XIAOSHAN, "--all-rows", "--junit", f"{results}")
    assert done.exit_code == 0
    assert "21 of 21 rows reached" in done.stdout
    assert results.read_bytes().startswith(b"<?xml")
    few = tmp_path / "few.yaml"
    few.write_text(
        "scenarios:\n  - name: dear\n    case: {channel: web-message, subject: 电费}\n"
        "    expect: {colour: red}\n",
        encoding="utf-8",
    )
    done = _run("test", XIAOSHAN, f"{few}")
    assert done.exit_code == 1
    assert f"{few}:2: dear\n  colour  expected  red\n          came      yellow\n" in done.stdout
    assert "triage: no scenario reaches\n  danger to people\n" in done.stdout


def test_rows_that_no_scenario_reaches_fail_only_where_that_is_asked(tmp_path: Path) -> None:
    few = tmp_path / "few.yaml"
    few.write_text(
        "scenarios:\n  - name: dear\n    case: {channel: web-message, subject: 电费}\n"
        "    expect: {category: power-supply}\n",
        encoding="utf-8",
    )
    assert _run("test", XIAOSHAN, f"{few}").exit_code == 0
    assert _run("test", XIAOSHAN, f"{few}", "--all-rows").exit_code == 1


def test_the_schema_is_json_schema_of_the_file() -> None:
    schema = json.loads(_run("schema").stdout)
    assert {"triage", "evaluators", "units"} <= schema["properties"].keys()


def test_no_service_and_no_other_command_loads_the_solver() -> None:
    """It is for proofs alone: a service keeps its memory for cases."""
    program = (
        "import sys, services.cli.main, services.router.service, shared.policy.explaining.explain\n"
        "import services.router.explanation\n"
        "sys.exit(any(name.split('.')[0] in {'pysat', 'pysolvers'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
