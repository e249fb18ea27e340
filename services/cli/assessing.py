"""The command that shows how a year is scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from services.cli.reporting import AsJson, Data, PolicyFile, Url, opened, row, table

if TYPE_CHECKING:
    from services.ledger.assessing import Assessed, Assessment

REASONS = {"too-few-cases": "too few cases", "no-data": "no data"}


def assessment(
    year: Annotated[
        int, typer.Option(min=1970, max=2999, help="The year of recording, such as 2026.")
    ],
    url: Url = None,
    policy: PolicyFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show how the year of each level and unit is scored, from 0 to 100, and of what.

    Example: concentric assessment --year 2026

    The policy's section `assessment` says what the on-time rate, the satisfaction, the completion
    and the absence of repeats weigh. A measure without data is left out, and the others weigh
    more. Without --url it reads the databases, as `concentric report` does.
    """
    with opened([url] if url else [], data, policy) as place:
        found = place.assessment(year)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(found, Console())


def _print(found: Assessment, console: Console) -> None:
    weights = ", ".join(f"{measure} {weight} %" for measure, weight in found.weights.items())
    console.print(f"Cases recorded in {found.year} ({found.timezone}), by {found.policy_version}")
    console.print(f"Weights: {weights}; a score needs {found.at_least} cases")
    measures = list(found.weights)
    for title, lines in (("Levels", found.levels), ("Units", found.units)):
        columns = ("", "cases", *(measure.value for measure in measures), "score")
        shown = table(title, *columns)
        for line in lines:
            row(shown, line.title.get("en", line.id), line.cases, *_cells(line, measures))
        console.print(shown)


def _cells(line: Assessed, measures: Sequence[str]) -> list[str]:
    from services.ledger.report import percent  # noqa: PLC0415 - as in reporting.py

    parts = {f"{measure}": part for measure, part in line.score.measures.items()}
    cells = [percent(parts[measure].value) for measure in measures]
    score = line.score.score
    # rounded down, so that 100 means all
    shown = f"{int(score * 10 + 1e-9) / 10:.1f}" if score is not None else "–"
    reason = REASONS.get(line.score.reason or "")
    return [*cells, reason or shown]
