"""Commands about the monthly reviews: which there are, and signing one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.domain.commands import SignReview
from shared.domain.errors import Refusal
from shared.domain.problems import problems_of
from shared.domain.reviews import ReviewState
from shared.settings import Settings

if TYPE_CHECKING:
    from services.ledger.reviewing import ReviewList, ReviewQuery

Url = Annotated[
    str | None, typer.Option(help="Address of a running installation, or of its ledger.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data, by default ./var.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def listing(
    month: Annotated[str | None, typer.Option(help="Such as 2026-11.")] = None,
    unit: Annotated[str | None, typer.Option(help="Id of the unit that is reviewed.")] = None,
    state: Annotated[ReviewState | None, typer.Option(help="Where the review stands.")] = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the monthly reviews, the newest first, with the figures that are signed.

    Example: concentric review list --month 2026-11 --state overdue

    Without --url it reads the databases, as `concentric report` does.
    """
    from services.cli.installation import Databases  # noqa: PLC0415 - loaded where it is needed
    from services.ledger.reviewing import ReviewList, ReviewQuery, listed  # noqa: PLC0415

    asked = {"month": month, "unit": unit, "state": state, "limit": 1000}
    query: ReviewQuery = _checked(ReviewQuery, asked)
    if url is not None:
        given = query.model_dump(mode="json", exclude_none=True)
        found = ReviewList.model_validate(_asked(url, {k: f"{v}" for k, v in given.items()}))
    else:
        settings = Settings.read(None, **({"data": data} if data else {}))
        with Databases(settings).reading("ledger") as connection:
            found = listed(connection, query)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(found, Console())


def sign(
    reviewed: Annotated[str, typer.Argument(help="Id of the unit whose month it is.")],
    month: Annotated[str, typer.Argument(help="Such as 2026-11.")],
    unit: Annotated[str, typer.Option(help="Id of the unit that signs.")],
    person: Annotated[str, typer.Option(help="Who signs for it.")],
    url: Annotated[str, typer.Option(help="Address of a running installation.")],
    remark: Annotated[str, typer.Option(help="What the reviewer has to say.")] = "",
) -> None:
    """Sign the review of a unit's month.

    Example: concentric review sign chengxiang 2026-11 --unit bureau --person leader-1
    --url http://127.0.0.1:8080
    """
    from services.cli.installation import PATIENCE, reached, refused  # noqa: PLC0415 - as above

    given = {"reviewed": reviewed, "month": month, "unit": unit, "person": person, "remark": remark}
    command: SignReview = _checked(SignReview, given)
    whole = f"{url.rstrip('/')}/commands/{SignReview.type}"
    with reached(whole), httpx.Client(timeout=PATIENCE, follow_redirects=True) as client:
        answer = client.post(whole, json=command.model_dump(mode="json"))
    if answer.is_error:
        raise refused(whole, answer)
    typer.echo(f"Signed: {reviewed}, {month}.")


def _checked(model: Any, given: dict[str, Any]) -> Any:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise Refusal(problems_of(error)) from error


def _asked(url: str, query: dict[str, str]) -> Any:
    from services.cli.installation import PATIENCE, Addresses  # noqa: PLC0415 - as above

    with closing(httpx.Client(timeout=PATIENCE, follow_redirects=True)) as client:
        return Addresses([url], client).ask("/reviews", query)


def _print(found: ReviewList, console: Console) -> None:
    shown = "" if found.total == len(found.reviews) else f", {len(found.reviews)} are shown"
    table = Table(title=f"{found.total} reviews{shown}", title_justify="left")
    for name in ("month", "unit", "state", "due", "signed by"):
        table.add_column(name)
    figures = ("recorded", "answered", "on_time", "late", "open_overdue", "satisfied", "rated")
    for name in figures:
        table.add_column(name.replace("_", " "), justify="right")
    for each in found.reviews:
        signed = f"{each.signature.person} ({each.signature.unit})" if each.signature else "–"
        due = f"{each.due_at:%Y-%m-%d %H:%M} UTC" if each.due_at else "–"
        cells = (each.month, each.unit, each.state.value, due, escape(signed))
        table.add_row(*cells, *(f"{getattr(each.figures, name)}" for name in figures))
    console.print(table)


HELP = "Monthly reviews: which there are, and signing one."

COMMANDS = {"list": listing, "sign": sign}
"""The commands of the group `review`."""
