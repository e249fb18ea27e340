"""Commands that run the house: all of it, one service, or each service as a process."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli.processes import run_all
from services.cli.sample import live_through
from services.embedded.catalogue import NAMES
from services.embedded.house import running
from shared.observe import logs
from shared.policy import load_policy
from shared.runtime import main
from shared.runtime.http import application
from shared.settings import Settings


def up(
    policy: Annotated[
        Path | None,
        typer.Option(help="The policy file; if left out, the last one of this data folder."),
    ] = None,
    sample: Annotated[
        Path | None, typer.Option(help="Cases (JSON lines) that live through the loop at once.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data, by default ./var.")] = None,
) -> None:
    """Run the whole house in this process: no broker, SQLite, one address.

    Example: concentric up --policy examples/policies/xiaoshan.yaml

    DATABASE_URL puts the data into PostgreSQL instead. Stop it with Ctrl-C: what is under way is
    finished first, and nothing is lost if it is killed.
    """
    given = {"policy": policy, "host": host, "port": port, "data": data}
    settings = Settings.read(None, **{k: v for k, v in given.items() if v is not None})
    logs.configure(settings.log_level)
    if policy is not None:
        # by the environment's file a house that has run before starts all the same
        load_policy(policy)
    with running(settings) as house:
        app = application(list(house.hosts.values()), house.metrics)
        console = Console(stderr=True)

        def announce(address: str) -> None:
            console.print(f"Concentric runs at [bold]{address}[/bold] · Ctrl-C stops it")
            if sample is not None:
                threading.Thread(
                    target=live_through, args=(sample, house, console), daemon=True
                ).start()

        main.serve(app, settings, announce)


def serve(
    service: Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")],
) -> None:
    """Run one service on RabbitMQ, as a container does.

    Example: AMQP_URL=amqp://… DATABASE_URL=postgresql://… concentric serve router

    All settings come from the environment; docs/operations.md lists them.
    """
    if service not in NAMES:
        raise typer.BadParameter(f"{service!r} is no service: choose one of {', '.join(NAMES)}")
    # The same process goes on without the command line's own 15 MB.
    os.execv(sys.executable, [sys.executable, "-m", f"services.{service}"])  # noqa: S606 - ours


def processes(
    first_port: Annotated[
        int, typer.Option(help="Port of the first service; the others follow.")
    ] = 8081,
) -> None:
    """Run each service as a process of its own, on the RabbitMQ and PostgreSQL of the environment.

    Example: AMQP_URL=amqp://… DATABASE_URL=postgresql://… concentric processes
    """
    run_all(first_port)
