"""The commands that draw a policy, and move its tables to DMN and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app

XIAOSHAN = Path(__file__).resolve().parents[3] / "examples" / "policies" / "xiaoshan.yaml"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["policy", *map(str, words)])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_bytes(XIAOSHAN.read_bytes())
    path.chmod(0o640)
    return path


@pytest.mark.parametrize(("name", "root"), [("flow.svg", "<svg "), ("flow.bpmn", "<?xml ")])
def test_the_outputs_name_says_the_format(tmp_path: Path, name: str, root: str) -> None:
    result = run("diagram", XIAOSHAN, "--lang", "zh", "-o", tmp_path / name)
    assert result.exit_code == 0, result.output
    written = (tmp_path / name).read_text(encoding="utf-8")
    assert written.startswith(root)
    assert "民情台账" in written


def test_without_an_output_it_prints() -> None:
    assert run("diagram", XIAOSHAN, "--format", "svg").output.startswith("<svg ")
    assert "DMN/20191111/MODEL/" in run("dmn", "export", XIAOSHAN, "--version", "1.3").output


def test_tables_edited_as_dmn_are_taken_over(policy: Path, tmp_path: Path) -> None:
    tables = tmp_path / "tables.dmn"
    assert run("dmn", "export", policy, "-o", tables).exit_code == 0
    result = run("dmn", "import", tables, "--into", policy)
    assert "nothing was written" in result.output
    text = tables.read_text(encoding="utf-8")
    tables.write_text(text.replace("&gt;= 100", "&gt;= 200"), encoding="utf-8")
    result = run("dmn", "import", tables, "--into", policy)
    assert (result.exit_code, result.output) == (0, f"{policy} has been written: triage.\n")
    assert policy.read_bytes() == XIAOSHAN.read_bytes().replace(b"at_least: 100", b"at_least: 200")
    assert policy.stat().st_mode & 0o777 == 0o640
    assert sorted(tmp_path.iterdir()) == [policy, tables]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("&gt;= 100", "? &gt; 1", "inputEntry in-triage-5-"),
        ('"emergency-repair"', '"emergency"', "there is no unit `emergency`"),
        ("definitions", "nothing", "save it as DMN"),
    ],
)
def test_what_cannot_be_taken_over_leaves_the_policy_as_it_was(
    policy: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    tables = tmp_path / "tables.dmn"
    tables.write_text(run("dmn", "export", policy).output.replace(old, new), encoding="utf-8")
    result = run("dmn", "import", tables, "--into", policy)
    assert result.exit_code == 2
    assert told in result.output
    assert policy.read_bytes() == XIAOSHAN.read_bytes()


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path, policy: Path) -> None:
    for words in (
        ("diagram", tmp_path / "none.yaml"),
        ("dmn", "export", tmp_path / "none.yaml"),
        ("dmn", "import", tmp_path / "none.dmn", "--into", policy),
        ("diagram", policy, "-o", tmp_path / "none" / "flow.svg"),
    ):
        result = run(*words)
        assert result.exit_code == 2
        assert "No such file" in result.output
