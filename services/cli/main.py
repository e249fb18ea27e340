"""The `concentric` command: registers the groups and turns our errors into plain words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from services.cli.importing import import_cases
from services.cli.policy import policy
from services.cli.reporting import audit, report
from services.cli.running import processes, serve, up
from shared.domain.errors import ConcentricError

app = typer.Typer(
    name="concentric",
    help="Closed-loop case handling: cases go recorded → routed → answered → rated → closed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose errors are told in words and an exit code of 2, not in a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ConcentricError as error:
            typer.echo(f"{error}", err=True)
            sys.exit(2)

    return run


for name, command in (
    ("up", up),
    ("serve", serve),
    ("processes", processes),
    ("import", import_cases),
    ("report", report),
    ("audit", audit),
):
    app.command(name)(plainly(command))

for told in policy.registered_commands:
    assert told.callback is not None
    told.callback = plainly(told.callback)
app.add_typer(policy)
