"""Commands about the calendar: which open deadlines another one would move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from shared.domain.aggregates import Clocks
from shared.domain.model import Instant, View
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.policy import CompiledPolicy

SHOWN = 20
"""Moved deadlines that are shown; --json has all."""


class Move(View):
    """A deadline that another calendar moves."""

    case_id: str
    unit: str
    colour: str
    moved_from: Instant
    moved_to: Instant


def impact(
    policy: Annotated[Path, typer.Argument(help="The policy file with the new calendar.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the data, by default ./var.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every case.")] = False,
) -> None:
    """Show which open deadlines would move by the calendar of a policy file; nothing is changed.

    Example: concentric calendar impact house-2027.yaml

    It reads the databases: PostgreSQL by DATABASE_URL, else the files in the data folder. Once the
    policy is in force, each of these deadlines moves by an event `deadline.moved`. A newer release
    of the library of holidays is tried in the same way, with the policy as it is.
    """
    from shared.policy import load_policy  # noqa: PLC0415 - loaded where it is needed

    candidate = load_policy(policy)
    found, looked = [], 0
    clocks = _open(Settings.read(None, **({} if data is None else {"data": data})))
    described = track(
        clocks, "Reckoning …", console=Console(stderr=True), disable=as_json, transient=True
    )
    for each in described:
        looked += 1
        move = _moved(each, candidate, datetime.now(UTC))
        if move is not None:
            found.append(move)
    if as_json:
        moves = [move.model_dump(mode="json") for move in found]
        typer.echo(json.dumps({"open": looked, "moved": len(found), "moves": moves}, indent=2))
    else:
        _print(found, looked, candidate, Console())


def _open(settings: Settings) -> Iterator[Clocks]:
    from services.cli.installation import Databases  # noqa: PLC0415 - as above
    from services.deadline.store import open_clocks  # noqa: PLC0415

    with Databases(settings).reading("deadline") as connection:
        yield from open_clocks(connection)


def _moved(clocks: Clocks, policy: CompiledPolicy, now: datetime) -> Move | None:
    from services.deadline.logic import recalculated  # noqa: PLC0415 - as above

    anew = recalculated(clocks, policy, now)
    if anew.due_at == clocks.due_at or anew.due_at is None or clocks.due_at is None:
        return None
    return Move(
        case_id=clocks.case_id,
        unit=clocks.unit,
        colour=clocks.colour,
        moved_from=clocks.due_at,
        moved_to=anew.due_at,
    )


def _print(found: list[Move], looked: int, policy: CompiledPolicy, console: Console) -> None:
    console.print(f"{len(found)} of {looked} open deadlines would move by {policy.version}.")
    if not found:
        return
    table = Table()
    for name in ("case", "unit", "colour", "from", "to"):
        table.add_column(name)
    day = policy.calendar.local_day
    for move in sorted(found, key=lambda move: move.moved_from)[:SHOWN]:
        days = (f"{day(move.moved_from)}", f"{day(move.moved_to)}")
        table.add_row(move.case_id, move.unit, move.colour, *days)
    if len(found) > SHOWN:
        table.caption = f"and {len(found) - SHOWN} more; --json has all"
    console.print(table)


HELP = "The calendar: what another one would change."

COMMANDS = {"impact": impact}
"""The commands of the group `calendar`."""
