"""Commands about deadlines: how one came about, one reckoned by hand, what is to be expected."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from shared.domain.aggregates import Clocks, Limits
from shared.domain.errors import ConfigurationError, NotFound
from shared.domain.model import Instant, View
from shared.settings import Settings

if TYPE_CHECKING:
    from services.deadline.explain import Explanation
    from services.deadline.forecast import Forecast
    from shared.policy import CompiledPolicy


class Language(StrEnum):
    """The languages of the product."""

    ZH = "zh"
    EN = "en"


Url = Annotated[
    str | None, typer.Option(help="Address of a running installation, or of its deadline service.")
]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="The policy file; the last one used if left out.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data, by default ./var.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
In = Annotated[Language, typer.Option("--language", help="Chinese (zh) or English (en).")]


def explain(
    case: Annotated[str, typer.Argument(help="The case's id.")],
    url: Url = None,
    policy: PolicyFile = None,
    data: Data = None,
    language: In = Language.EN,
    as_json: AsJson = False,
) -> None:
    """Show how the due date of a case came about: every day, and why it counts or not.

    Example: concentric deadline explain 0b6f1c5e-3c0a-5d1e-9b52-6d1f1f0f6a11 --language zh

    Without --url it reads the databases, as `concentric report` does.
    """
    from services.deadline.explain import Explanation  # noqa: PLC0415 - loaded where it is needed
    from services.deadline.plan import rating_days  # noqa: PLC0415

    if url is not None:
        found = Explanation.model_validate(_asked(url, f"/cases/{case}/deadline/days"))
    else:
        loaded = _policy(data, policy)
        clocks = _clocks(case, _settings(data, policy))
        found = _explained(clocks, loaded, rating_days(clocks, loaded))
    _show(found, language, as_json=as_json)


def reckon(
    received: Annotated[str, typer.Argument(help="When the case was received, with its zone.")],
    days: Annotated[int, typer.Argument(min=1, max=1000, help="Working days allowed.")],
    answered: Annotated[
        str | None, typer.Option(help="When it was answered, with its zone.")
    ] = None,
    policy: PolicyFile = None,
    data: Data = None,
    language: In = Language.EN,
    as_json: AsJson = False,
) -> None:
    """Reckon a due date by the policy's calendar, without a case.

    Example: concentric deadline reckon 2019-01-30T10:00:00+08:00 5 --policy house.yaml
    """
    loaded = _policy(data, policy)
    start, stop = _moment(received, "the receipt"), None
    if answered is not None:
        stop = _moment(answered, "the answer")
        if stop < start:
            raise ConfigurationError("The answer comes before the receipt: exchange them.")
    from services.deadline.plan import planned  # noqa: PLC0415 - as above

    clocks = planned(by_hand(start, days, stop), loaded)
    _show(_explained(clocks, loaded), language, as_json=as_json)


def forecast(
    url: Url = None, policy: PolicyFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Show how many open cases of each unit will breach at its present pace.

    Example: concentric deadline forecast --url http://127.0.0.1:8080

    A unit's pace is what it answered over the last 20 working days; it answers in the order of the
    due dates; nothing new comes in. --json has the reckoning for each due day.
    """
    from services.cli.installation import Databases  # noqa: PLC0415 - as above
    from services.deadline.forecast import Forecast  # noqa: PLC0415
    from services.deadline.gauges import expected  # noqa: PLC0415
    from shared.runtime.handling import Context  # noqa: PLC0415

    if url is not None:
        found = Forecast.model_validate(_asked(url, "/forecast"))
    else:
        now = Context(now=datetime.now(UTC), policy=_policy(data, policy), link=str)
        with Databases(_settings(data, policy)).reading("deadline") as connection:
            found = expected(connection, now)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print_forecast(found, Console())


def by_hand(start: datetime, days: int, stop: datetime | None = None) -> Clocks:
    """The clocks of a case that there is not."""
    return Clocks(
        case_id="",
        started_at=start.astimezone(UTC),
        stopped_at=stop.astimezone(UTC) if stop else None,
        limits=Limits(reply=days),
        handled_round=1,
    )


def _explained(
    clocks: Clocks, policy: CompiledPolicy, rating_days: int | None = None
) -> Explanation:
    from services.deadline.explain import explain as explained  # noqa: PLC0415 - as above

    return explained(clocks, policy.calendar, datetime.now(UTC), rating_days)


def _show(found: Explanation, language: Language, *, as_json: bool) -> None:
    from services.deadline.words import text  # noqa: PLC0415 - as above

    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo(text(found, language.value), nl=False)


def _clocks(case: str, settings: Settings) -> Clocks:
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    from services.cli.installation import Databases  # noqa: PLC0415
    from services.deadline.store import CLOCKS  # noqa: PLC0415

    table = CLOCKS.table.c
    with Databases(settings).reading("deadline") as connection:
        body = connection.scalar(sa.select(table.body).where(table.key == case))
    if body is None:
        raise NotFound.of("case", "unknown-case", f"nothing is known of {case!r}")
    return CLOCKS.parse(body)


def _asked(url: str, path: str) -> Any:
    from services.cli.installation import PATIENCE, Addresses  # noqa: PLC0415 - as above

    with closing(httpx.Client(timeout=PATIENCE, follow_redirects=True)) as client:
        return Addresses([url], client).ask(path)


def _settings(data: Path | None, policy: Path | None) -> Settings:
    given = {"data": data, "policy": policy}
    return Settings.read(None, **{k: v for k, v in given.items() if v is not None})


def _policy(data: Path | None, policy: Path | None) -> CompiledPolicy:
    from services.cli.installation import Databases  # noqa: PLC0415 - as above

    return Databases(_settings(data, policy)).policy()


class _Given(View):
    at: Instant


def _moment(text: str, what: str) -> datetime:
    try:
        return _Given.model_validate({"at": text}).at
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} cannot be {what}: give a date and time with its zone, such as"
            " 2026-05-04T09:30:00+08:00."
        ) from error


def _print_forecast(found: Forecast, console: Console) -> None:
    table = Table(
        title=f"{found.breaches} cases will breach at the pace since {found.window_from}",
        title_justify="left",
    )
    table.add_column("unit")
    for name in ("owe an answer", "overdue", "answers a day", "will breach", "first on"):
        table.add_column(name, justify="right")
    for unit in found.units:
        first = next((step.due_day for step in unit.steps if step.breaches), None)
        cells = (unit.open, unit.overdue, f"{unit.per_day:.2f}", unit.breaches, first or "–")
        table.add_row(unit.unit, *map(str, cells))
    console.print(table)


HELP = "Deadlines: how one came about, one reckoned by hand, what is to be expected."

COMMANDS = {"explain": explain, "reckon": reckon, "forecast": forecast}
"""The commands of the group `deadline`."""
