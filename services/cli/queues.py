"""Commands about the queues in RabbitMQ: what is there, and bringing them to today's release."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.progress import progress_bar
from services.embedded.catalogue import NAMES
from shared.bus.listeners import LISTENERS
from shared.domain.errors import ConfigurationError
from shared.settings import Settings

Amqp = Annotated[str | None, typer.Option(help="Address of RabbitMQ, by default AMQP_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def listing(amqp: Amqp = None, as_json: AsJson = False) -> None:
    """Show the queues of the services, with what waits in each and how many read it.

    Example: concentric queues list
    """
    from shared.bus import upkeep  # noqa: PLC0415 - pika is needed here alone

    with upkeep.upkeep(_url(amqp)) as hand:
        found = upkeep.look(hand, LISTENERS)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found]))
        return
    table = Table(title=f"{len(found)} queues", title_justify="left")
    table.add_column("queue")
    table.add_column("waiting", justify="right")
    table.add_column("readers", justify="right")
    for each in found:
        table.add_row(each.name, f"{each.messages}", f"{each.readers}")
    Console().print(table)


def retire(amqp: Amqp = None) -> None:
    """Empty the queues of earlier releases into today's, and remove them.

    Example: concentric queues retire

    To be given after an upgrade, once no service of the old release runs any more.
    """
    from shared.bus import upkeep  # noqa: PLC0415 - as above

    with upkeep.upkeep(_url(amqp)) as hand, _counted() as moved:
        removed = upkeep.retire(hand, LISTENERS, moved)
    typer.echo(f"Removed: {', '.join(removed)}." if removed else "No queue of an earlier release.")


def renew(
    service: Annotated[str, typer.Argument(help="Whose queue, such as router.")],
    amqp: Amqp = None,
) -> None:
    """Declare the queue of a stopped service anew, and keep what lies in it.

    Example: concentric queues renew router

    For a queue that somebody declared with other arguments: RabbitMQ then answers
    PRECONDITION_FAILED, and the service cannot read.
    """
    from shared.bus import upkeep  # noqa: PLC0415 - as above

    subscription = next((each for each in LISTENERS if each.service == service), None)
    if subscription is None:
        raise ConfigurationError(f"There is no service {service!r}: name one of {', '.join(NAMES)}")
    with upkeep.upkeep(_url(amqp)) as hand, _counted() as moved:
        upkeep.renew(hand, subscription, moved)
    typer.echo(f"Declared anew: the queue of {service}.")


def _url(amqp: str | None) -> str:
    return amqp or Settings.read().amqp()


@contextmanager
def _counted() -> Iterator[Callable[[str], None]]:
    """Shows how many messages have been moved so far."""
    with progress_bar() as progress:
        task = progress.add_task("moving", total=None)
        yield lambda queue: progress.update(task, advance=1, description=f"from {queue}")


HELP = "The queues in RabbitMQ: what is there, and bringing them to today's release."

COMMANDS = {"list": listing, "retire": retire, "renew": renew}
"""The commands of the group `queues`."""
