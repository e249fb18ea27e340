"""Commands that read the books: the report of rates, and the audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.runtime.audit import ADVICE, Audit, Findings, settled
from shared.runtime.resolved import Resolutions, split
from shared.settings import Settings

if TYPE_CHECKING:
    from services.cli.installation import Installation
    from services.ledger.figures import Line, Report

DAY = ["%Y-%m-%d"]

SHOWN = 20
"""Differences, and lines of a table, that are shown."""

Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data, by default ./var.")]
Url = Annotated[
    str | None, typer.Option(help="Address of a running installation, or of its ledger.")
]
PolicyFile = Annotated[
    Path | None, typer.Option(help="The policy file; the last one used if left out.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def report(
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAY, help="First day of recording, such as 2026-01-01."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=DAY, help="Last day of recording, itself included."),
    ] = None,
    url: Url = None,
    policy: PolicyFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show how many cases were answered on time, by colour, and how satisfied people were.

    Example: concentric report --from 2026-01-01 --to 2026-03-31

    Without --url it reads the databases: PostgreSQL by DATABASE_URL, else the files in the data
    folder; nothing has to run. Days are those of the policy's time zone. The on-time rate is on
    time ÷ (on time + late + open beyond the due date): what lies about lowers it.
    """
    with opened([url] if url else [], data, policy) as place:
        found = place.report(_day(start), _day(end))
    if as_json:
        typer.echo(found.model_dump_json(by_alias=True, indent=2))
    else:
        _print_report(found, Console())


def audit(
    url: Annotated[
        list[str] | None,
        typer.Option(
            help="Address of a running installation; again for each service with its own."
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(min=0, max=3600, help="Seconds to wait for messages on their way, at most."),
    ] = 30.0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Prove that nothing was lost: every service's books agree, and the journal is complete.

    Example: concentric audit --url http://127.0.0.1:8080

    Checked are: recorded = open + closed + withdrawn with the same cases in the same state in
    every service; the ledger has the newest version of everything; the journal has every version
    of everything once, and its chain of hashes is whole; nothing is parked. What is missing because
    somebody discarded a parked message is shown, and is no fault. The exit code is 0 if all that
    holds, 1 with a list of the differences if not, 2 if the books cannot be read.

    Without --url it reads the databases, as `concentric report` does.
    """
    waiting = Console(stderr=True).status("Comparing the books …")
    with waiting, opened(url or [], data) as place:

        def sending() -> bool:
            return any(each.outbox for each in place.waiting().values())

        findings = settled(place.look, wait=wait, clock=monotonic, sleep=sleep, sending=sending)
        resolutions = place.resolved()
        open_, explained = split(findings, resolutions)
        found = Audit(open_, place.waiting(), place.journal())
    if as_json:
        told = _audit_as_json(found, explained, resolutions)
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print_audit(found, explained, resolutions, Console())
    if not found.passed:
        raise typer.Exit(1)


@contextmanager
def opened(
    urls: list[str], data: Path | None, policy: Path | None = None
) -> Iterator[Installation]:
    """The installation whose books are read."""
    # what reads the books takes a third of a second to import, which other commands need not pay
    from services.cli.installation import installation  # noqa: PLC0415

    given = {"data": data, "policy": policy}
    settings = Settings.read(None, **{k: v for k, v in given.items() if v is not None})
    with installation(urls, settings) as place:
        yield place


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


def _print_report(found: Report, console: Console) -> None:
    from services.ledger.report import percent  # noqa: PLC0415 - as above

    since, until = found.start or "the beginning", found.end or "today"
    console.print(f"Cases recorded from {since} to {until} ({found.timezone})")
    console.print(
        f"[bold]{found.cases}[/bold] cases = {found.open} open + {found.closed} closed"
        f" + {found.withdrawn} withdrawn; {found.repeats} repeats ({percent(found.repeat_rate)})"
    )
    if found.paused or found.extended:
        console.print(f"{found.paused} were paused, {found.extended} got more time")
    kept = table("On time", "colour", "on time", "late", "open, overdue", "rate")
    for name, one in found.on_time.items():
        counts = (one.on_time, one.late, one.open_overdue)
        row(kept, _title(found.titles.colours, name), *counts, percent(one.rate))
    console.print(kept)
    judged = table("Satisfaction", "level", "asked", "rated", "satisfied", "rate")
    for name, vote in found.satisfaction.items():
        counts = (vote.asked, vote.rated, vote.satisfied)
        row(judged, _title(found.titles.levels, name), *counts, percent(vote.rate))
    console.print(judged)
    _print_lines(found.units, found.titles.units, "Units", console)
    needs = table("Top needs", "category", "item", "cases", "open", "overdue")
    for need in found.top_needs:
        counts = (need.cases, need.open, need.open_overdue)
        row(needs, need.category, need.item or "–", *counts)
    console.print(needs)


def _print_lines(
    lines: list[Line], titles: dict[str, dict[str, str]], name: str, console: Console
) -> None:
    from services.ledger.report import percent  # noqa: PLC0415 - as above

    shown = table(name, "", "cases", "open", "on time", "satisfied")
    for line in lines[:SHOWN]:
        satisfied = percent(line.satisfaction.rate) if line.satisfaction else "–"
        kept = percent(line.on_time.rate)
        row(shown, _title(titles, line.id), line.cases, line.open, kept, satisfied)
    if len(lines) > SHOWN:
        shown.caption = f"and {len(lines) - SHOWN} more; --json has all"
    console.print(shown)


def _audit_as_json(found: Audit, explained: Findings, resolutions: Resolutions) -> dict[str, Any]:
    findings = found.findings
    return {
        "passed": found.passed,
        "services": {
            name: {
                **asdict(count),
                **asdict(found.waiting[name]),
                "replayed": resolutions.replayed.get(name, 0),
                "discarded": resolutions.discarded.get(name, 0),
            }
            for name, count in findings.counts.items()
        },
        "journal": asdict(found.journal),
        "differences": findings.number,
        "first": [
            {**asdict(one), "next": ADVICE[one.code]}
            for one in islice(findings.found.values(), SHOWN)
        ],
        "explained": [asdict(one) for one in islice(explained.found.values(), SHOWN)],
    }


def _print_audit(
    found: Audit, explained: Findings, resolutions: Resolutions, console: Console
) -> None:
    names = ("recorded", "open", "closed", "withdrawn", "outbox", "parked")
    acts = {"replayed": resolutions.replayed, "discarded": resolutions.discarded}
    shown = {act: by for act, by in acts.items() if any(by.values())}  # else it gets too wide
    books = table("Books", "service", *names, *shown)
    for service, count in found.findings.counts.items():
        figures = {**asdict(count), **asdict(found.waiting[service])}
        decided = (by.get(service, 0) for by in shown.values())
        row(books, service, *(figures[name] for name in names), *decided)
    console.print(books)
    journal = found.journal
    console.print(f"Journal: {journal.entries} entries, ending with {journal.head}")
    for one in islice(explained.found.values(), SHOWN):
        where = ", ".join(sorted(resolutions.cases[one.case_id]))
        console.print(f"{one.case_id}: {escape(one.message)}; a message was discarded at {where}")
    if found.passed:
        console.print("[green]The books agree, and the journal is complete.[/green]")
        return
    _print_faults(found, console)


def _print_faults(found: Audit, console: Console) -> None:
    for broken in found.journal.found:
        console.print(f"[red]The journal's chain is broken:[/red] {escape(broken)}")
    for service, waiting in found.waiting.items():
        if waiting.parked:
            console.print(
                f"[red]{service} has parked {waiting.parked} messages[/red], whose content is in no"
                f" books: `concentric parked list --service {service}` has the reasons."
            )
    findings = found.findings
    if not findings.number:
        return
    differences = table(f"{findings.number} differences", "case", "where", "what", left=3)
    shown = list(islice(findings.found.values(), SHOWN))
    for one in shown:
        row(differences, one.case_id, one.service, one.message)
    console.print(differences)
    if findings.number > len(shown):
        console.print(f"… and {findings.number - len(shown)} more")
    for code in dict.fromkeys(one.code for one in shown):
        console.print(f"[bold]{code}[/bold]: {ADVICE[code]}")


def table(title: str, *columns: str, left: int = 1) -> Table:
    """An empty table, whose columns behind the first `left` ones hold figures."""
    made = Table(title=title, title_justify="left", caption_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number < left else "right", overflow="fold")
    return made


def row(shown: Table, *cells: object) -> None:
    """Add a line to a table."""
    shown.add_row(*(escape(str(cell)) for cell in cells))


def _title(titles: dict[str, dict[str, str]], name: str) -> str:
    return titles[name]["en"] if name in titles else name
