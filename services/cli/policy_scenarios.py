"""The command that runs a policy's scenarios."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shared.policy.trying.scenarios import Run


def run_scenarios(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    scenarios: Annotated[
        Path | None,
        typer.Argument(help="The scenarios; NAME.scenarios.yaml beside the policy if left out."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write the results to this file, as JUnit does.")
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="Fail as well where a row decides in no scenario.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a policy's scenarios: given this case, expect that colour, unit, due date and evaluator.

    Example: concentric policy test examples/policies/xiaoshan.yaml

    Each case takes the path of real ones: admission, classification, durable-rules, calendar,
    evaluators. Told are what came otherwise, and the rows of all tables that no scenario reaches.

    The exit code is 0 where all came as expected, 1 where not, and 2 where a file cannot be used.
    """
    from shared.policy.load import load_policy  # noqa: PLC0415
    from shared.policy.trying.scenarios import beside, run  # noqa: PLC0415

    done = run(load_policy(file), scenarios or beside(file))
    if junit is not None:
        _write(junit, done)
    if as_json:
        typer.echo(json.dumps(done.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        _print(done)
    if done.failed or (all_rows and done.unreached):
        raise typer.Exit(1)


def _print(done: Run) -> None:
    for result in done.results:
        if result.passed:
            continue
        typer.echo(f"{done.file}:{result.line}: {result.name}")
        width = max(len(one.what) for one in result.differences)
        for one in result.differences:
            typer.echo(f"  {one.what:<{width}}  expected  {one.expected}")
            typer.echo(f"  {'':<{width}}  came      {one.came}")
    for table, rows in done.unreached.items():
        typer.echo(f"{table}: no scenario reaches")
        for row in rows:
            typer.echo(f"  {row}")
    passed = len(done.results) - done.failed
    typer.echo(
        f"{passed} of {len(done.results)} scenarios as expected,"
        f" {done.reached} of {done.rows} rows reached ({done.policy_version})."
    )


def _write(path: Path, done: Run) -> None:
    from shared.policy.trying.junit import to_junit  # noqa: PLC0415

    try:
        path.write_bytes(to_junit(done))
    except OSError as error:
        raise ConfigurationError(f"The results cannot be written: {error}.") from error
