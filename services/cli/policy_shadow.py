"""The command that lets a candidate policy decide beside the one in force."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.policy_change import AsJson, By, text_of, trying
from shared.domain.errors import ConfigurationError, PolicyError, Refusal

if TYPE_CHECKING:
    from services.ledger.shadow import ShadowReport

ADDRESS = "http://127.0.0.1:8080"


def shadow(
    file: Annotated[
        Path | None, typer.Argument(help="The candidate; left out with --stop and --report.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Let the candidate decide no more.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Show what it would have decided otherwise.")
    ] = False,
    by: By = None,
    url: Annotated[
        str, typer.Option(help="Address of the running installation, or of its ledger.")
    ] = ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Let a candidate decide beside the policy in force for a while; nothing follows from it.

    Example: concentric policy shadow new.yaml --url http://127.0.0.1:8080

    The ledger decides every new case once more by it, some seconds later, and notes the
    differences. What fails is counted. A second candidate takes the place of the first.
    """
    import httpx  # noqa: PLC0415 - heavy

    from services.cli.policy_house import PATIENCE, ask  # noqa: PLC0415 - heavy
    from services.ledger.shadow import ShadowReport  # noqa: PLC0415

    if sum((file is not None, stop, report)) != 1:
        raise ConfigurationError("Give one of: a policy file, --stop, --report.")
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        if not report:
            content = None if file is None else text_of(file)
            try:
                body = {"content": content, "by": by or getpass.getuser()}
                with trying():
                    ask(client, "POST", "/commands/shadow-policy", body)
            except Refusal as refusal:
                if file is None:
                    raise
                raise PolicyError(f"{file}", refusal.problems) from refusal
        found = ShadowReport.model_validate(ask(client, "GET", "/shadow"))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(found, Console())


def _print(found: ShadowReport, console: Console) -> None:
    if found.version is None or found.since is None:
        console.print("No candidate has decided here yet: begin with concentric policy shadow FILE")
        return
    until = f"until {found.until:%Y-%m-%d %H:%M:%S} UTC" if found.until else "and goes on"
    console.print(
        f"[bold]{escape(found.version)}[/bold] by {escape(found.by or '')} decides since"
        f" {found.since:%Y-%m-%d %H:%M:%S} UTC {until}:"
        f" {found.same:,} as the policy in force, {found.different:,} otherwise,"
        f" {found.failed:,} failed"
    )
    if not found.changes:
        return
    table = Table(title="Otherwise", title_justify="left")
    for column in ("what", "in force", "candidate", "cases"):
        table.add_column(column, overflow="fold")
    for one in found.changes:
        table.add_row(*map(escape, (one.what, one.live, one.candidate, f"{one.cases:,}")))
    console.print(table)
    cases = Table(title="The newest", title_justify="left")
    for column in ("case", "in force", "candidate"):
        cases.add_column(column, overflow="fold")
    for each in found.differences[:20]:
        live, other = ", ".join(each.live), ", ".join(each.candidate)
        cases.add_row(
            *map(escape, (each.case_id, f"{live} ({each.live_row})", f"{other} ({each.row})"))
        )
    console.print(cases)
