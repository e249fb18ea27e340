"""Messages that lie aside, over HTTP: looked at, tried again, given up. Every service has this."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from dataclasses import asdict
from time import monotonic
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared.domain.case import Name, Text
from shared.domain.errors import NotFound, Refusal, Unavailable
from shared.domain.model import Input, Instant
from shared.runtime.gateway import PATIENCE
from shared.runtime.host import Host
from shared.runtime.routes import Routes
from shared.runtime.work import Resolution
from shared.storage.parking import Wanted, listed, one

MOST = 100
"""Messages of one request that are resolved, each in a transaction of its own."""


class ParkedQuery(Input):
    """Which parked messages are listed; left out, all."""

    type: Name | None = None
    case_id: Name | None = None
    after: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    """The id behind which to begin: `next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ParkedLine(BaseModel):
    """A parked message in a list."""

    id: str
    """The parking's own id, by which it is shown, replayed and discarded."""
    message_id: str
    type: str
    case_id: str | None
    reason: str
    attempts: int
    bytes: int
    parked_at: Instant
    """Since when it lies aside."""


class ParkedList(BaseModel):
    """Parked messages, the oldest first."""

    total: int
    """How many there are, on all pages."""
    parked: list[ParkedLine]
    next: str | None
    """`after` for the next page; null on the last one."""


class ParkedFile(BaseModel):
    """A parked message with everything that is known of it; its body can be personal data."""

    id: str
    message_id: str
    key: str
    type: str
    case_id: str | None
    reason: str
    trace: str
    """Where it failed; empty where it could not be read."""
    attempts: int
    parked_at: Instant
    content_type: str
    headers: dict[str, str]
    reply_to: str | None
    encoding: Literal["utf-8", "base64"]
    """How `body` is written: base64 where it is no text."""
    body: str


class Decision(Input):
    """What is decided about parked messages: which, by whom, and why."""

    ids: Annotated[tuple[Name, ...], Field(max_length=MOST)] = ()
    all: bool = False
    """Instead of `ids`: the next of all that lie aside, or of those below."""
    type: Name | None = None
    case_id: Name | None = None
    after: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    by: Name
    """Who decides."""
    reason: Annotated[Text, Field(min_length=1, max_length=1000)]
    """For the journal; it names nobody whom a case is about."""


class Resolved(BaseModel):
    """What became of one parked message."""

    id: str
    outcome: Literal["handled", "refused", "parked", "discarded", "gone"]
    """`parked` where it failed again, `gone` where it lay aside no longer."""


class Resolutions(BaseModel):
    """What became of parked messages."""

    resolved: list[Resolved]
    next: str | None
    """Of `all`: `after` for the rest; null where that was all."""


def parked_routes(hosts: Sequence[Host]) -> Routes:
    """`/parked`, for the services that run here."""
    routes = Routes("parked")
    by_name = {host.service.name: host for host in hosts}

    def found(service: str) -> Host:
        if service not in by_name:
            raise HTTPException(404, f"{service} does not run here")
        return by_name[service]

    @routes.get("/parked")
    def services() -> dict[str, int]:
        """The services that run here, and how many messages lie aside in each."""
        return {name: _page(host, Wanted(limit=1)).total for name, host in by_name.items()}

    @routes.get("/parked/{service}")
    def listing(service: str, query: ParkedQuery) -> ParkedList:
        """Messages that lie aside in a service, the oldest first."""
        return _page(found(service), Wanted(query.type, query.case_id, query.after, query.limit))

    @routes.get("/parked/{service}/{id}")
    def show(service: str, id: str) -> ParkedFile:  # noqa: A002 - the name in the path
        """A parked message with its reason, its trace and its body."""
        return _file(found(service), id)

    @routes.post("/parked/{service}/replay")
    def replay(service: str, body: Decision) -> Resolutions:
        """Let messages go their ordinary way once more; what fails again lies aside again."""
        return _resolve(found(service), "replay", body)

    @routes.post("/parked/{service}/discard")
    def discard(service: str, body: Decision) -> Resolutions:
        """Give messages up: what they say will be in no books of this service."""
        return _resolve(found(service), "discard", body)

    return routes


def _page(host: Host, wanted: Wanted) -> ParkedList:
    with host.read() as connection:
        total, found = listed(connection, host.storage.parked_table, wanted)
    lines = [ParkedLine(**asdict(each)) for each in found]
    full = len(lines) == wanted.limit
    return ParkedList(total=total, parked=lines, next=lines[-1].id if full else None)


def _file(host: Host, id_: str) -> ParkedFile:
    with host.read() as connection:
        found = one(connection, host.storage.parked_table, id_)
    if found is None:
        reason = f"{host.service.name} has put nothing aside under this id, or no longer"
        raise NotFound.of("id", "unknown-message", reason)
    told = asdict(found)
    try:
        told |= {"encoding": "utf-8", "body": found.body.decode()}
    except UnicodeDecodeError:
        told |= {"encoding": "base64", "body": b64encode(found.body).decode()}
    return ParkedFile(**told)


def _resolve(host: Host, act: Literal["replay", "discard"], decision: Decision) -> Resolutions:
    """Resolve them one by one; what is over before a failure stays, and the rest can be sent again.

    Raises `Unavailable` where the database is away or slow, `Overloaded` while the outbox is full.
    """
    host.admit()
    if bool(decision.ids) is decision.all:
        raise Refusal.of("ids", "which", "name the messages by `ids`, or send `all`: true")
    following, ids = None, decision.ids
    if decision.all:
        page = _page(host, Wanted(decision.type, decision.case_id, decision.after, MOST))
        following, ids = page.next, tuple(line.id for line in page.parked)
    orders = (Resolution(id_, act, decision.by, decision.reason) for id_ in ids)
    return Resolutions(resolved=list(_outcomes(host, orders)), next=following)


def _outcomes(host: Host, orders: Iterator[Resolution]) -> Iterator[Resolved]:
    until = monotonic() + PATIENCE
    for order in orders:
        host.put(order)
        try:
            outcome = order.answer.result(timeout=max(0.0, until - monotonic()))
        except Late as late:
            order.answer.cancel()
            raise Unavailable(f"no commit within {PATIENCE:.0f} s") from late
        yield Resolved.model_validate({"id": order.parked, "outcome": outcome or "gone"})
