"""The command that has open cases decided anew by the policy in force."""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.progress import progress_bar
from shared.domain.aggregates import Decision
from shared.domain.case import Case, State
from shared.domain.commands import RetriageCase
from shared.domain.errors import ConfigurationError, Refusal
from shared.domain.policy import Policy
from shared.domain.problems import problems_of
from shared.policy.load import parse_policy
from shared.settings import Settings

if TYPE_CHECKING:
    from services.cli.replay_sources import Source

WAITING = ("routed", "accepted")
"""States of a handling that still waits for its answer."""

DECIDED = ("colour", "unit", "answer_owed")
"""What is compared of a case as it stands and as it would be decided."""


@dataclass(frozen=True)
class Wanted:
    """Which open cases are meant; an empty field means any."""

    version: str | None
    unit: str | None
    category: str | None
    colour: str | None

    def has(self, dossier: dict[str, Any]) -> bool:
        """Whether the case of a dossier is one of them."""
        given = {
            "policy_version": self.version,
            "unit": self.unit,
            "category": self.category,
            "colour": self.colour,
        }
        return (
            dossier["standing"]["state"] == State.OPEN
            and dossier["progress"] in WAITING
            and all(value in {None, dossier[name]} for name, value in given.items())
        )


@dataclass
class Plan:
    """What deciding anew would do."""

    looked_at: int = 0
    """Cases that were chosen."""
    cases: list[str] = field(default_factory=list)
    """Ids of those that would be decided otherwise."""
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)


def plan(lines: Iterable[str], wanted: Wanted, policy: Policy) -> Plan:
    """The open cases that the policy decides otherwise than they were."""
    found = Plan()
    for line in lines:
        known = json.loads(line)
        dossier = known["dossier"]
        if not wanted.has(dossier):
            continue
        found.looked_at += 1
        case = Case.from_plain(known["event"]["record"]["case"])
        decision = policy.triage(case)
        moved = _is_due_otherwise(dossier, case, decision, policy)
        if moved or any(dossier[name] != getattr(decision, name) for name in DECIDED):
            found.cases.append(case.id)
            new = f"{decision.colour}, {decision.unit}"
            if not decision.answer_owed:
                new += ", no answer owed"
            elif moved:
                new += f", due after {decision.limits.reply} working days"
            found.kinds[f"{dossier['colour']}, {dossier['unit']}", new] += 1
    return found


def _is_due_otherwise(
    dossier: dict[str, Any], case: Case, decision: Decision, policy: Policy
) -> bool:
    """Whether the first round would be due at another time; when others began is not known here."""
    due_at = next((part["due_at"] for part in dossier["rounds"] if part["number"] == 1), None)
    limit = decision.limits.reply
    if due_at is None or limit is None or dossier["standing"]["round"] > 1:
        return False
    try:
        return policy.calendar.due(case.recorded_at, limit) != datetime.fromisoformat(due_at)
    except ConfigurationError:
        return False  # outside the calendar: nothing could be reckoned there


def migrate(  # noqa: PLR0913, PLR0917 - the options of a command
    version: Annotated[
        str | None,
        typer.Argument(help="Only cases that this version decided; left out, whichever did."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Only cases that lie with this unit.")] = None,
    category: Annotated[str | None, typer.Option(help="Only cases of this category.")] = None,
    colour: Annotated[str | None, typer.Option(help="Only cases of this colour.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Who does it, by default your login name.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with every case.")] = "",
    url: Annotated[
        list[str] | None,
        typer.Option(help="Address of a running installation; again for ledger and router apart."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data, by default ./var.")] = None,
) -> None:
    """Have open cases decided anew by the policy in force, as an act that is recorded.

    Example: concentric policy migrate --category power-supply --reason "new rules" --dry-run

    An applied policy decides what comes in from then on; what was decided stays so until this
    command. A case that was answered stays as it is. The clock starts where it did: a due date
    may lie in the past, and is then overdue at once.
    """
    if not dry_run and not reason:
        raise typer.BadParameter("say why by --reason, or look first with --dry-run")
    wanted = Wanted(version, unit, category, colour)
    with _past(url or [], data) as source, progress_bar() as bar:
        task = bar.add_task("cases", total=source.total)
        policy = parse_policy("the policy in force", source.baseline)
        found = plan(bar.track(source.lines, source.total, task_id=task), wanted, policy)
    _print(found, policy.version)
    if dry_run or not found.cases:
        return
    commands = [_command(case_id, by or getpass.getuser(), reason) for case_id in found.cases]
    _send(commands, url or [], data)


@contextmanager
def _past(urls: list[str], data: Path | None) -> Iterator[Source]:
    from services.cli.replay_sources import from_data, from_urls  # noqa: PLC0415 - heavy

    settings = Settings.read(None, **({} if data is None else {"data": data}))
    with from_urls(urls, None) if urls else from_data(settings, None) as source:
        yield source


def _send(commands: list[RetriageCase], urls: list[str], data: Path | None) -> None:
    from services.cli.policy_house import policy_house  # noqa: PLC0415 - heavy

    with policy_house(urls, data) as house, progress_bar() as bar:
        task = bar.add_task("asked for", total=len(commands))
        refusals = house.do_all(commands, lambda done: bar.update(task, completed=done))
    typer.echo(f"{len(commands) - len(refusals):,} cases are decided anew")
    for case_id, refusal in refusals:
        typer.echo(f"{case_id}: {refusal}", err=True)
    if refusals:
        raise typer.Exit(1)


def _command(case_id: str, by: str, reason: str) -> RetriageCase:
    try:
        return RetriageCase(case_id=case_id, by=by, reason=reason)
    except ValidationError as error:
        raise Refusal(problems_of(error)) from error


def _print(found: Plan, version: str) -> None:
    console = Console()
    console.print(
        f"[bold]{len(found.cases):,}[/bold] of {found.looked_at:,} open cases are decided"
        f" otherwise by {escape(version)}"
    )
    if not found.kinds:
        return
    table = Table()
    table.add_column("as they are", overflow="fold")
    table.add_column("anew", overflow="fold")
    table.add_column("cases", justify="right")
    for (before, after), number in found.kinds.most_common():
        table.add_row(escape(before), escape(after), f"{number:,}")
    console.print(table)
