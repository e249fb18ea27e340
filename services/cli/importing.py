"""The command that imports a register of cases from a file."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid

from services.cli.progress import progress_bar
from shared.observe import logs
from shared.settings import Settings

if TYPE_CHECKING:
    from services.embedded.house import House
    from services.intake.importing.convert import Check
    from services.intake.importing.mapping import Mapping
    from services.intake.importing.run import Summary
    from services.intake.importing.senders import Sender
    from services.intake.importing.tables import Table

# Reading workbooks and speaking HTTP take half a second to import, which other commands need not
# pay: what needs them is imported where it is used.


def import_cases(
    file: Annotated[Path, typer.Argument(help="The register: .xlsx, .csv or .jsonl.")],
    mapping: Annotated[
        Path, typer.Option(help="Which column is which field of a case; see docs/import.md.")
    ],
    policy: Annotated[
        Path | None,
        typer.Option(help="The policy file, instead of the one that the mapping names."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Import into the running installation at this address of its intake."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data, by default ./var.")] = None,
    refused: Annotated[
        Path | None, typer.Option(help="File for refused rows, by default in the data folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Import cases from a spreadsheet, a CSV file or JSON lines, with answers if they have any.

    Example: concentric import messages.xlsx --mapping examples/mappings/message-board.yaml

    Nothing is recorded twice: run an import that was interrupted again, and it goes on. Rows that
    cannot be recorded are written to a file with their reasons; mend them there and import it.

    The exit code is 0 when the whole file was read, whether or not rows were refused, and 2 when
    that was not possible.
    """
    from services.intake.importing.mapping import load_mapping  # noqa: PLC0415
    from services.intake.importing.readers import open_table  # noqa: PLC0415

    began = perf_counter()
    chosen = load_mapping(mapping)
    given = {"policy": policy or chosen.policy, "data": data}
    settings = Settings.read(None, **{k: v for k, v in given.items() if v is not None})
    logs.configure("warning")
    aside = refused or _refused_file(settings.data, file, chosen)
    with open_table(file, chosen) as table:  # a wrong file is said so before anything starts
        register = _Register(chosen, table, aside)
        summary = register.into_installation(url) if url else register.into_house(settings)
    summary.seconds = round(perf_counter() - began, 2)
    _show(summary, as_json=as_json)


def _refused_file(data: Path, file: Path, mapping: Mapping) -> Path:
    from services.intake.importing.readers import kind_of  # noqa: PLC0415

    end = ".jsonl" if kind_of(file, mapping) == "jsonl" else ".csv"
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return data / "imports" / f"{file.stem}-refused-{moment}{end}"


@dataclass(frozen=True)
class _Register:
    """A register that is open, and where its refused rows go."""

    mapping: Mapping
    table: Table
    aside: Path

    def into_house(self, settings: Settings) -> Summary:
        """Import into the data of the settings, and let the cases go through the loop."""
        from services.embedded.house import running  # noqa: PLC0415
        from services.intake import logic  # noqa: PLC0415
        from services.intake.importing.senders import through  # noqa: PLC0415
        from shared.policy import load_policy  # noqa: PLC0415

        if settings.policy is not None:
            # a house goes on with its own policy where a file is bad; an import means the one named
            load_policy(settings.policy)
        with running(settings) as house, progress_bar() as progress:
            policy = house.policies.current
            check = partial(logic.problems, policy=policy, now=datetime.now(UTC))
            send = through(house.hosts["intake"].gateway)
            summary = self._send(send, progress, settings.batch, check)
            _finish_loop(house, progress)
            return summary

    def into_installation(self, url: str) -> Summary:
        """Import over HTTP."""
        import httpx  # noqa: PLC0415

        from services.intake.importing.senders import (  # noqa: PLC0415
            BATCH,
            check_address,
            greet,
            to,
        )

        with httpx.Client(base_url=check_address(url), timeout=30.0) as client:
            greet(client)
            with progress_bar() as progress:
                return self._send(to(client), progress, BATCH)

    def _send(
        self, send: Sender, progress: Progress, batch: int, check: Check | None = None
    ) -> Summary:
        from services.intake.importing.convert import Converter  # noqa: PLC0415
        from services.intake.importing.refused import RefusedRows  # noqa: PLC0415
        from services.intake.importing.run import Import  # noqa: PLC0415

        task = progress.add_task("reading", total=self.table.expected)
        converter = Converter(self.mapping, datetime.now(UTC), check)
        refused = RefusedRows(self.aside, self.table.headers, self.mapping)

        def tell(number: int) -> None:
            progress.update(task, completed=number)

        return Import(converter, send, refused, tell, batch).run(self.table.rows)


def _finish_loop(house: House, progress: Progress) -> None:
    """Let the cases go through the loop; what Ctrl-C leaves goes on at the next start."""
    progress.add_task("on their way through the loop", total=None)
    while not house.quiet(1.0):
        pass


def _show(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        json.dump(summary.model_dump(mode="json"), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
        return
    console = Console()
    grid = Grid.grid(padding=(0, 2))
    for name in ("read", "recorded", "known", "refused", "repeated", "replied"):
        grid.add_row(name, f"{getattr(summary, name):,}")
    console.print(grid)
    for warning in summary.warnings:
        told = f"row {warning.row}, {warning.column}: `{warning.text}` — {warning.message}"
        console.print(f"{told} ({warning.read_as})", markup=False)
    if summary.more_warnings:
        console.print(f"and {summary.more_warnings:,} more warnings")
    if summary.refused_file is not None:
        console.print(f"Refused rows with their reasons: {summary.refused_file}", markup=False)
    console.print(f"{summary.seconds} s")
