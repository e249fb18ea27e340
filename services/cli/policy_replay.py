"""The command that tries a candidate policy on the past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.progress import progress_bar
from shared.domain.errors import ConfigurationError
from shared.domain.policy import Policy, Titled
from shared.policy.load import parse_policy, read_bytes
from shared.settings import Settings

if TYPE_CHECKING:
    from services.cli.replay_sources import Source

SHOWN = 20
"""Kinds of change, and units, that are printed."""

Sources = tuple[list[str], Path | None, Path | None, Path | None]


def replay(  # noqa: PLR0913, PLR0917 - the options of a command
    candidate: Annotated[Path, typer.Argument(help="The policy that might come.")],
    baseline: Annotated[
        Path | None,
        typer.Option(help="The policy to compare with, by default the one in force."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data whose past is tried, by default ./var.")
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(help="Address of a running installation; again for ledger and router apart."),
    ] = None,
    cases: Annotated[
        Path | None, typer.Option(help="A register of cases instead: .xlsx, .csv or .jsonl.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Which column of the register is what; see docs/import.md.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="File for the report as one page that stands by itself.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show what a candidate would have changed: every past case is decided by both policies.

    Example: concentric policy replay new.yaml --data ./var --html report.html

    Compared are what is admitted, colour, unit, deadline, and who is asked to rate. Both policies
    decide anew, so that transfers and other acts of people make no difference; when a case was
    answered is taken from the past. Nothing is written but the report.
    """
    from services.cli.replaying import Policies, replay_lines  # noqa: PLC0415 - heavy
    from shared.policy.trying.replay import as_json as figures_of  # noqa: PLC0415

    began, now = perf_counter(), datetime.now(UTC)
    content = read_bytes(candidate)
    new = parse_policy(f"{candidate}", content)
    with _source((url or [], data, cases, mapping), baseline) as source, progress_bar() as bar:
        old = parse_policy("the policy to compare with", source.baseline)
        task = bar.add_task("cases", total=source.total)
        policies = Policies(source.baseline, content, now)
        found = replay_lines(source.lines, policies, lambda n: bar.update(task, completed=n))
    head = {
        "baseline": old.version,
        "candidate": new.version,
        "generated_at": now.isoformat(timespec="seconds"),
        "unread": source.unread,
        "erased": source.erased,
        "seconds": round(perf_counter() - began, 2),
    }
    figures = figures_of(found, head)
    if html is not None:
        _write(html, figures, _titles(old) | _titles(new))
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        _print(figures, Console())
        if html is not None:
            typer.echo(f"The whole report: {html}")


@contextmanager
def _source(given: Sources, baseline: Path | None) -> Iterator[Source]:
    from services.cli.replay_sources import from_data, from_file, from_urls  # noqa: PLC0415

    urls, data, cases, mapping = given
    if sum(map(bool, (urls, data, cases))) > 1:
        raise ConfigurationError("Give one of --data, --url and --cases: a replay has one past.")
    if (cases is None) != (mapping is None):
        raise ConfigurationError("--cases and --mapping belong together: give both.")
    if cases is not None and mapping is not None:
        with from_file(cases, mapping, baseline) as source:
            yield source
    elif urls:
        with from_urls(urls, baseline) as source:
            yield source
    else:
        settings = Settings.read(None, **({} if data is None else {"data": data}))
        with from_data(settings, baseline) as source:
            yield source


def _print(figures: dict[str, Any], console: Console) -> None:
    console.print(
        f"[bold]{figures['changed']:,}[/bold] of {figures['cases']:,} cases change from"
        f" {escape(figures['baseline'])} to {escape(figures['candidate'])}"
    )
    if figures["unread"]:
        console.print(f"{figures['unread']:,} rows are no cases: `concentric import` says why")
    if figures["erased"]:
        console.print(f"{figures['erased']:,} cases were erased, and cannot be decided once more")
    table = Table(title="Changes", title_justify="left")
    for column in ("what", "before", "after", "cases", "for example"):
        table.add_column(column, overflow="fold")
    for one in figures["groups"][:SHOWN]:
        cells = (one["aspect"], one["before"], one["after"], f"{one['cases']:,}")
        table.add_row(*map(escape, cells), escape(", ".join(one["examples"])))
    console.print(table)
    if len(figures["groups"]) > SHOWN:
        console.print(
            f"and {len(figures['groups']) - SHOWN} more kinds; --html and --json have all"
        )
    kept = Table(title="On time, and load", title_justify="left")
    for column in ("", "cases before", "after", "on time before", "after"):
        kept.add_column(column, justify="right" if column else "left")
    _add(kept, "all", figures["on_time"])
    for name, sides in figures["colours"].items():
        _add(kept, name, sides)
    moved = [
        (name, sides)
        for name, sides in figures["units"].items()
        if sides["before"] != sides["after"]
    ]
    for name, sides in moved[:SHOWN]:
        _add(kept, name, sides)
    console.print(kept)


def _percent(rate: float | None) -> str:
    from services.ledger.report import percent  # noqa: PLC0415 - heavy

    return percent(rate)


def _add(table: Table, name: str, sides: dict[str, Any]) -> None:
    before, after = sides["before"], sides["after"]
    counts = (f"{before['cases']:,}", f"{after['cases']:,}")
    table.add_row(escape(name), *counts, _percent(before["rate"]), _percent(after["rate"]))


def _titles(policy: Policy) -> dict[str, str]:
    """What people call units and colours, in both languages."""
    things: list[Titled] = [*policy.colours.values(), *policy.units.values()]
    return {each.id: " · ".join(each.title.values()) for each in things}


def _write(path: Path, figures: dict[str, Any], titles: dict[str, str]) -> None:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - heavy

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = pages.get_template("replay.html").render(percent=_percent, titles=titles, **figures)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
