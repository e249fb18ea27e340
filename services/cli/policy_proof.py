"""Commands that prove a policy file and explain what it decides."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from shared.domain.errors import ConfigurationError, PolicyError

if TYPE_CHECKING:
    from shared.policy.explaining.hypothetical import Hypothetical
    from shared.policy.policy import CompiledPolicy
    from shared.policy.proof.check import Report
    from shared.policy.proof.findings import Finding

# The solver and the policy's schema are imported where they are used: other commands need neither.

File = Annotated[Path, typer.Argument(help="The policy file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Language(StrEnum):
    """What an explanation is told in."""

    EN = "en"
    ZH = "zh"


def check(file: File, as_json: AsJson = False) -> None:
    """Prove that a policy leaves no case without colour, unit, clock, evaluator and chain.

    Example: concentric policy check examples/policies/xiaoshan.yaml

    Proved are, for all cases that intake would take in: every case gets a colour, a unit and a
    clock; somebody who did not handle it may rate every answer; every chain of escalation ends at
    the top; somebody may pause and extend the clocks of every unit; every row can decide; rows of a
    table with `hit: unique` never collide. Each finding names the line, the mend, and a case that
    shows it.

    The exit code is 0 where nothing is wrong, 1 with findings, and 2 where the file cannot be read.
    """
    from shared.policy.proof.check import check as prove  # noqa: PLC0415
    from shared.policy.proof.reading import read  # noqa: PLC0415

    if sys.stderr.isatty():
        typer.echo(f"Proving {file} … (two thousand rows take some seconds)", err=True)
    report = prove(read(file))
    if as_json:
        told = report.model_dump(mode="json", exclude_defaults=True)
        typer.echo(_json(told | {"passed": report.passed}))
    else:
        _print_report(report)
    if not report.passed:
        raise typer.Exit(1)


def explain(
    file: File,
    case: Annotated[
        str, typer.Option(help="The case: JSON as for submit-case, or a file that holds it.")
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="What if: another value, such as customer=hospital."),
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language.")] = Language.EN,
    as_json: AsJson = False,
) -> None:
    """Tell what a policy would decide about a case, why, and why not otherwise.

    Example: concentric policy explain examples/policies/xiaoshan.yaml --case
    '{"channel": "customer-hotline", "subject": "停电"}' --set customer=hospital

    A case is written as a submission; all but the channel may be left out. Besides, `repeat_of`
    makes a repeat of it, `counts: {"again": 3}` says what was counted, and `answered_by:
    {"unit": …}` who answers.
    """
    from shared.policy.explaining.explain import explain as explained  # noqa: PLC0415
    from shared.policy.explaining.narrate import narrate  # noqa: PLC0415
    from shared.policy.explaining.whatif import changed  # noqa: PLC0415

    policy = _lenient(file)
    given = _case(case)
    before = explained(given, policy)
    after = explained(changed(given, changes, policy), policy) if changes else None
    if as_json:
        told: dict[str, Any] = {"explanation": (after or before).model_dump(mode="json")}
        if after is not None:
            told["before"] = before.model_dump(mode="json")
        typer.echo(_json(told))
        return
    for line in narrate(after or before, policy, language.value):
        typer.echo(line)
    if after is not None:
        typer.echo("\n" + {"en": "Without the change:", "zh": "不作改变时："}[language])
        for line in narrate(before, policy, language.value):
            typer.echo(f"  {line}".rstrip())


def schema() -> None:
    """Print the JSON Schema of the policy file, for editors and other tools.

    Example: concentric policy schema > policy.schema.json
    """
    typer.echo(_json(_schema()))


def _schema() -> dict[str, Any]:
    from shared.policy.schema.document import Document  # noqa: PLC0415

    return Document.model_json_schema()


def _lenient(file: Path) -> CompiledPolicy:
    """The policy, also where its rows are wrong: counter-examples are explained by it."""
    from shared.policy.proof.reading import read  # noqa: PLC0415

    reading = read(file)
    if reading.policy is None:
        raise PolicyError(f"{file}", reading.problems)
    for problem in reading.problems:
        typer.echo(f"{file} would not be loaded: {problem}", err=True)
    return reading.policy


def _case(given: str) -> Hypothetical:
    from shared.policy.explaining.hypothetical import Hypothetical  # noqa: PLC0415

    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = Path(given).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The case cannot be read: {error}. Give JSON that begins with {{, or a file of it."
            ) from error
    try:
        return Hypothetical.model_validate_json(text)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, detail['loc'])) or 'the case'}: {detail['msg']}"
            for detail in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("\n".join(["This is no case:", *lines])) from error


def _print_report(report: Report) -> None:
    for finding in report.findings:
        _print_finding(report.file, finding)
    size = f"{report.rows} rows over {report.facts} facts, in {report.seconds:.2f} s"
    wrong = sum(not finding.note for finding in report.findings)
    if report.passed:
        typer.echo(f"{report.file}: proved for every case ({size}).")
    else:
        typer.echo(f"{report.file}: {wrong} {'finding' if wrong == 1 else 'findings'} ({size}).")


def _print_finding(file: str, finding: Finding) -> None:
    from shared.policy.explaining.hypothetical import given_only  # noqa: PLC0415

    where = f"{finding.where}: " if finding.where else ""
    kind = "note: " if finding.note else ""
    typer.echo(f"{file}:{finding.line}: {kind}{where}{finding.message}")
    if finding.example is not None:
        case = json.dumps(given_only(finding.example), ensure_ascii=False)
        typer.echo(
            f"  see: concentric policy explain {shlex.quote(file)} --case {shlex.quote(case)}"
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
