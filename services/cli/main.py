"""The `concentric` command: registers the groups and turns our errors into plain words."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from services.cli import calendar, deadlines, parked, queues, reviews
from services.cli.assessing import assessment
from services.cli.importing import import_cases
from services.cli.policy import policy
from services.cli.reporting import audit, report
from services.cli.running import processes, serve, up
from shared.domain.errors import ConcentricError


class Plainly(TyperGroup):
    """Commands whose errors are told in words and an exit code of 2, not in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Carry out the command, however deep in the groups."""
        try:
            return super().invoke(ctx)
        except ConcentricError as error:
            typer.echo(f"{error}", err=True)
            raise typer.Exit(2) from error


app = typer.Typer(
    name="concentric",
    cls=Plainly,
    help="Closed-loop case handling: cases go recorded → routed → answered → rated → closed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

for name, command in (
    ("up", up),
    ("serve", serve),
    ("processes", processes),
    ("import", import_cases),
    ("report", report),
    ("audit", audit),
    ("assessment", assessment),
):
    app.command(name)(command)
app.add_typer(policy)
for title, group in (
    ("deadline", deadlines),
    ("calendar", calendar),
    ("parked", parked),
    ("review", reviews),
    ("queues", queues),
):
    below = typer.Typer(name=title, help=group.HELP, no_args_is_help=True)
    for name, one in group.COMMANDS.items():
        below.command(name)(one)
    app.add_typer(below)
