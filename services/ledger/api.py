"""The ledger over HTTP: cases, files, the report, the journal, and a plain page of all that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice

from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from services.ledger import queries, reviewing, shadowing
from services.ledger.assessing import Assessment, Year, read_assessment
from services.ledger.erasing import erasures
from services.ledger.figures import Report
from services.ledger.handlers import COMMANDS
from services.ledger.journal import Entry, verify
from services.ledger.page import home_page
from services.ledger.reading import CaseFile, read_file, read_report
from services.ledger.reviewing import ReviewList, ReviewQuery
from services.ledger.search import CaseList, CaseQuery, search
from services.ledger.shadow import ShadowReport
from shared.domain.model import Input
from shared.domain.reviews import Review
from shared.runtime.commands import command_routes
from shared.runtime.fresh import Fresh
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes

NDJSON = "application/x-ndjson"

TOTAL = "X-Total-Count"
"""How many lines will come, for whoever shows progress."""

ERASED = "X-Erased-Count"
"""How many cases are not among them, because they were erased."""


class Period(Input):
    """Which cases a report counts: those recorded on these days; left out, without end."""

    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")


class Entries(Input):
    """A part of the journal."""

    after: int = Field(default=0, ge=0, le=2**62)
    limit: int = Field(default=1000, ge=1, le=100_000)
    bodies: bool = True
    """Without them nobody's words are given out, and the chain can still be followed."""


class Verified(BaseModel):
    """What a walk along the journal's chain found."""

    intact: bool
    entries: int
    head: str
    """Hash of the last entry: note it elsewhere, and nobody can rewrite the journal unnoticed."""
    breaks: int
    found: list[str] = Field(description="The first breaks.")


def api(gateway: Gateway) -> Routes:
    """The routes of the ledger."""
    routes = command_routes("ledger", COMMANDS, gateway)
    fresh: Fresh[Report] = Fresh()
    scores: Fresh[Assessment] = Fresh()

    def report(start: date | None, end: date | None) -> Report:
        """Made from one moment's books, and shared by all who ask within a moment."""

        def read() -> Report:
            context = gateway.context
            with gateway.read() as connection:
                return read_report(connection, context.policy, context.now, start, end)

        return fresh.get((start, end, gateway.policy.version), read)

    @routes.get("/cases")
    def cases(query: CaseQuery) -> CaseList:
        """Cases, the newest first: all of them, or those that are looked for."""
        return search(gateway, query)

    @routes.get("/cases/{case_id}")
    def case_file(case_id: str) -> CaseFile:
        """Everything that is known of a case, and everything that happened to it, in order."""
        with gateway.read() as connection:
            return read_file(connection, case_id, gateway.context.now)

    @routes.get("/report")
    def figures(query: Period) -> Report:
        """On-time and satisfaction rates, and what they are made of."""
        return report(query.start, query.end)

    @routes.get("/assessment")
    def assessment(query: Year) -> Assessment:
        """How the year of each level and unit is scored by the policy, and of what."""
        key = (query.year, gateway.policy.version)
        return scores.get(key, lambda: _assess(gateway, query.year))

    _add_journal(routes, gateway)
    _add_past(routes, gateway)
    _add_shadow(routes, gateway)
    _add_reviews(routes, gateway)
    routes.include(home_page(gateway, report))
    return routes


def _assess(gateway: Gateway, year: int) -> Assessment:
    context = gateway.context
    with gateway.read() as connection:
        return read_assessment(connection, context.policy, context.now, year)


def _add_journal(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/journal/verify")
    def verification() -> Verified:
        """Walk along the whole chain of hashes."""
        with gateway.read() as connection:
            found = verify(
                queries.journal(connection), queries.chain(connection), erasures(connection)
            )
        return Verified(
            intact=found.intact,
            entries=found.entries,
            head=found.head,
            breaks=found.breaks,
            found=list(found.found),
        )

    @routes.get("/journal", media_type=NDJSON)
    def journal(query: Entries) -> Response:
        """Entries behind the entry `after`, one JSON line each, for whoever verifies them."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                entries = islice(queries.journal(connection, query.after), query.limit)
                yield from _lines(_exported(entry, bodies=query.bodies) for entry in entries)

        return StreamingResponse(read(), media_type=NDJSON)

    @routes.get("/books/ledger/versions", media_type=NDJSON)
    def versions() -> Response:
        """`[case, record, handling, clocks, judgement]`: the newest versions seen, by case."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                yield from _lines(queries.versions(connection))

        return StreamingResponse(read(), media_type=NDJSON)

    @routes.get("/books/ledger/journal", media_type=NDJSON)
    def contents() -> Response:
        """`[case, aggregate, entries, newest version]`: what the journal holds, by case."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                yield from _lines(queries.contents(connection))

        return StreamingResponse(read(), media_type=NDJSON)

    @routes.get("/books/ledger/resolved", media_type=NDJSON)
    def resolved() -> Response:
        """`[service, event, case]`: parked messages that were replayed or discarded."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                yield from _lines(queries.resolved(connection))

        return StreamingResponse(read(), media_type=NDJSON)


def _add_past(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/books/ledger/past")
    def past() -> StreamingResponse:
        """Each case as it was recorded and what became of it, for a replay of another policy."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                cases = queries.past(connection)
                while block := list(islice(cases, queries.BLOCK)):
                    yield "".join(f"{queries.past_line(*stored)}\n" for stored in block)

        with gateway.read() as connection:
            total, erased = queries.count(connection)
        headers = {TOTAL: f"{total}", ERASED: f"{erased}"}
        return StreamingResponse(read(), media_type=NDJSON, headers=headers)


def _add_shadow(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/shadow")
    def shadow() -> ShadowReport:
        """What the candidate beside the policy in force has decided so far, and where otherwise."""
        with gateway.read() as connection:
            return shadowing.report(connection)


def _add_reviews(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/reviews")
    def reviews(query: ReviewQuery) -> ReviewList:
        """The monthly reviews of the units, the newest month first."""
        with gateway.read() as connection:
            return reviewing.listed(connection, query)

    @routes.get("/reviews/{unit}/{month}")
    def review(unit: str, month: str) -> Review:
        """The review of a unit's month, with its figures and its signature."""
        with gateway.read() as connection:
            return reviewing.one(connection, unit, month)


def _exported(entry: Entry, *, bodies: bool) -> dict[str, object]:
    body = {"body": entry.body} if bodies else {}
    return {"entry": json.loads(entry.canonical), **body, "hash": entry.hash.hex()}


def _lines(rows: Iterable[object]) -> Iterator[str]:
    """JSON lines, many to a piece: each piece costs the HTTP server a turn."""
    iterator = iter(rows)
    while block := list(islice(iterator, queries.BLOCK)):
        yield "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in block)
