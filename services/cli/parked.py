"""Commands about messages that lie aside: which there are, trying them again, giving them up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.domain.errors import ConfigurationError, NotFound, Refusal
from shared.settings import Settings

PAGE = 100
"""Messages that one request lists or resolves."""

Url = Annotated[
    list[str] | None,
    typer.Option(
        help="Address of a running service, again for each; by default CONCENTRIC_HOST and _PORT."
    ),
]
Service = Annotated[str | None, typer.Option(help="Only what lies aside in this service.")]
Type = Annotated[str | None, typer.Option("--type", help="Only this type, such as case.recorded.")]
Case = Annotated[str | None, typer.Option(help="Only what is about the case with this id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids, as `concentric parked list` has them.")]
Every = Annotated[bool, typer.Option("--all", help="All that the other options select.")]
By = Annotated[str, typer.Option(help="Who decides so, for the journal.")]
Reason = Annotated[str, typer.Option(help="Why, for the journal; name nobody in it.")]


def listing(
    url: Url = None,
    service: Service = None,
    kind: Type = None,
    case: Case = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The most that are shown.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the messages that services have put aside, the oldest of each service first.

    Example: concentric parked list --url http://127.0.0.1:8080 --service router
    """
    asked = {"type": kind, "case_id": case}
    with _services(url, service) as (client, homes):
        found = [
            {"service": name, **line}
            for name, home in homes.items()
            for line in _lines(client, f"{home}/parked/{name}", asked, limit)
        ][:limit]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found, Console())


def show(
    parked: Annotated[str, typer.Argument(help="Id, as `concentric parked list` has it.")],
    url: Url = None,
    service: Service = None,
    body: Annotated[bool, typer.Option("--body", help="Print the body alone, as it came.")] = False,
) -> None:
    """Show a message that lies aside: why, where it failed, and what it says.

    Example: concentric parked show 0199c0de-7a31-7c2e-9d3f-0b6f1c5e3c0a --url http://127.0.0.1:8080

    The body can be personal data.
    """
    with _services(url, service) as (client, homes):
        for name, home in homes.items():
            answer = client.get(f"{home}/parked/{name}/{parked}")
            if answer.status_code != 404:
                found = _content(answer)
                break
        else:
            raise _unknown([parked], homes)
    if body:
        typer.echo(found["body"])
    else:
        typer.echo(json.dumps({"service": name, **found}, ensure_ascii=False, indent=2))


def replay(  # noqa: PLR0913, PLR0917 - the options of a command
    by: By,
    reason: Reason,
    ids: Ids = None,
    every: Every = False,
    url: Url = None,
    service: Service = None,
    kind: Type = None,
    case: Case = None,
) -> None:
    """Let messages go their ordinary way once more: each has its effect once, or lies aside again.

    Example: concentric parked replay --all --service router --by ops-1 --reason "bug mended in 0.2"
    --url http://127.0.0.1:8080

    The exit code is 1 where one failed again.
    """
    _resolve("replay", _given(ids, every, by, reason, kind, case), url, service)


def discard(  # noqa: PLR0913, PLR0917 - the options of a command
    by: By,
    reason: Reason,
    ids: Ids = None,
    every: Every = False,
    url: Url = None,
    service: Service = None,
    kind: Type = None,
    case: Case = None,
) -> None:
    """Give messages up: what they say will be in no books of the service where they lie.

    Example: concentric parked discard 0199c0de-7a31-7c2e-9d3f-0b6f1c5e3c0a --by ops-1
    --reason "sent by mistake" --url http://127.0.0.1:8080
    """
    _resolve("discard", _given(ids, every, by, reason, kind, case), url, service)


def _given(
    ids: list[str] | None, every: bool, by: str, reason: str, kind: str | None, case: str | None
) -> dict[str, Any]:
    if bool(ids) is every:
        raise Refusal.of("ids", "which", "name the ids, or give --all")
    if ids and (kind or case):
        raise Refusal.of("ids", "which", "--type and --case belong to --all")
    given = {"ids": ids, "all": every, "by": by, "reason": reason, "type": kind, "case_id": case}
    return {name: value for name, value in given.items() if value is not None}


def _resolve(
    act: str, decision: dict[str, Any], url: list[str] | None, service: str | None
) -> None:
    console = Console(stderr=True)
    outcomes, gone = Counter[str](), Counter[str]()
    with _services(url, service) as (client, homes), console.status("…") as status:
        for name, home in homes.items():
            for one in _resolved(client, f"{home}/parked/{name}/{act}", decision):
                outcome, id_ = one["outcome"], one["id"]
                if outcome == "gone":
                    gone[id_] += 1
                    continue
                outcomes[outcome] += 1
                status.update(f"{outcomes.total()} done, now at {name} …")
                typer.echo(f"{name} {id_} {outcome}")
        unknown = [id_ for id_, times in gone.items() if times == len(homes)]
    told = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    console.print(told or "Nothing lies aside there.")
    if unknown and not decision["all"]:
        raise _unknown(unknown, homes)
    if outcomes["parked"]:
        raise typer.Exit(1)


def _resolved(client: httpx.Client, url: str, decision: dict[str, Any]) -> Iterator[Any]:
    """What became of each message, a request for every hundred."""
    if not decision["all"]:
        ids = decision["ids"]
        for first in range(0, len(ids), PAGE):
            part = {**decision, "ids": ids[first : first + PAGE]}
            yield from _content(client.post(url, json=part))["resolved"]
        return
    after: str | None = ""
    while after is not None:
        answer = _content(client.post(url, json={**decision, "after": after}))
        yield from answer["resolved"]
        after = answer["next"]


@contextmanager
def _services(
    urls: list[str] | None, service: str | None
) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """A client, and at which address each service runs that is asked."""
    from services.cli.installation import PATIENCE, reached  # noqa: PLC0415 - loaded where needed

    if not urls:
        settings = Settings.read(None)
        urls = [f"http://{settings.host}:{settings.port}"]
    with httpx.Client(timeout=PATIENCE, follow_redirects=True) as client:
        homes: dict[str, str] = {}
        for url in (each.rstrip("/") for each in urls):
            with reached(url):
                for name in _content(client.get(f"{url}/parked")):
                    homes.setdefault(name, url)
        if service is not None:
            if service not in homes:
                raise ConfigurationError(
                    f"At {', '.join(urls)} there is no {service}: give --url for it."
                )
            homes = {service: homes[service]}
        with reached(", ".join(urls)):
            yield client, homes


def _lines(
    client: httpx.Client, url: str, asked: dict[str, str | None], limit: int
) -> Iterator[dict[str, Any]]:
    """The list of one service, page by page."""
    given = {name: value for name, value in asked.items() if value is not None}
    after: str | None = ""
    while after is not None and limit > 0:
        page = {**given, "after": after, "limit": f"{min(limit, PAGE)}"}
        answer = _content(client.get(url, params=page))
        yield from answer["parked"]
        limit -= len(answer["parked"])
        after = answer["next"]


def _content(answer: httpx.Response) -> Any:
    from services.cli.installation import content_of  # noqa: PLC0415 - as above

    return content_of(f"{answer.url}", answer)


def _unknown(ids: Sequence[str], homes: dict[str, str]) -> Refusal:
    reason = f"{', '.join(ids)}: nothing lies aside under that in {', '.join(homes)}"
    return NotFound.of("ids", "unknown-message", reason)


def _print(found: Sequence[dict[str, Any]], console: Console) -> None:
    table = Table(title=f"{len(found)} messages lie aside", title_justify="left")
    for name in ("service", "id", "type", "case", "tries", "since (UTC)", "reason"):
        table.add_column(name, overflow="fold", justify="right" if name == "tries" else "left")
    for line in found:
        since = line["parked_at"][:19].replace("T", " ")
        cells = (line["type"], line["case_id"] or "–", line["attempts"], since, line["reason"])
        table.add_row(line["service"], line["id"], *(escape(f"{cell}") for cell in cells))
    console.print(table)


HELP = "Messages that lie aside: which there are, trying them again, giving them up."

COMMANDS = {"list": listing, "show": show, "replay": replay, "discard": discard}
"""The commands of the group `parked`."""
