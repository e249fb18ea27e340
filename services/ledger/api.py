"""The ledger over HTTP: cases, files, the report, the journal, and a plain page of all that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.ledger import queries, shadowing
from services.ledger.figures import Report
from services.ledger.fresh import Fresh
from services.ledger.handlers import COMMANDS
from services.ledger.journal import Entry, verify
from services.ledger.page import page
from services.ledger.reading import CaseFile, read_file, read_report
from services.ledger.search import CaseList, CaseQuery, search
from services.ledger.shadow import ShadowReport
from services.ledger.store import DOSSIERS
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway

NDJSON = "application/x-ndjson"

TOTAL = "X-Total-Count"
"""How many lines will come, for whoever shows progress."""


class Verified(BaseModel):
    """What a walk along the journal's chain found."""

    intact: bool
    entries: int
    head: str
    """Hash of the last entry: note it elsewhere, and nobody can rewrite the journal unnoticed."""
    breaks: int
    found: list[str] = Field(description="The first breaks.")


def api(gateway: Gateway) -> APIRouter:
    """The routes of the ledger."""
    router = command_routes(COMMANDS, gateway)
    fresh: Fresh[Report] = Fresh()

    def report(start: date | None, end: date | None) -> Report:
        """Made from one moment's books, and shared by all who ask within a moment."""

        def read() -> Report:
            context = gateway.context
            with gateway.read() as connection:
                return read_report(connection, context.policy, context.now, start, end)

        return fresh.get((start, end, gateway.policy.version), read)

    @router.get("/cases")
    def cases(query: Annotated[CaseQuery, Query()]) -> CaseList:
        """Cases, the newest first: all of them, or those that are looked for."""
        return search(gateway, query)

    @router.get("/cases/{case_id}")
    def case_file(case_id: str) -> CaseFile:
        """Everything that is known of a case, and everything that happened to it, in order."""
        with gateway.read() as connection:
            return read_file(connection, DOSSIERS, case_id, gateway.context.now)

    @router.get("/report")
    def figures(
        start: Annotated[date | None, Query(alias="from")] = None,
        end: Annotated[date | None, Query(alias="to")] = None,
    ) -> Report:
        """On-time and satisfaction rates, and what they are made of."""
        return report(start, end)

    _add_journal(router, gateway)
    _add_past(router, gateway)
    _add_shadow(router, gateway)
    router.include_router(page(gateway, report))
    return router


def _add_journal(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/journal/verify")
    def verification() -> Verified:
        """Walk along the whole chain of hashes."""
        with gateway.read() as connection:
            found = verify(queries.journal(connection), queries.chain(connection))
        return Verified(
            intact=found.intact,
            entries=found.entries,
            head=found.head,
            breaks=found.breaks,
            found=list(found.found),
        )

    @router.get("/journal")
    def journal(
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
    ) -> StreamingResponse:
        """Entries behind the entry `after`, one JSON line each, for whoever verifies them."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                yield from _lines(map(_exported, islice(queries.journal(connection, after), limit)))

        return StreamingResponse(read(), media_type=NDJSON)

    @router.get("/books/ledger/versions")
    def versions() -> StreamingResponse:
        """`[case, record, handling, clocks, judgement]`: the newest versions seen, by case."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                yield from _lines(queries.versions(connection))

        return StreamingResponse(read(), media_type=NDJSON)

    @router.get("/books/ledger/journal")
    def contents() -> StreamingResponse:
        """`[case, aggregate, entries, newest version]`: what the journal holds, by case."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                yield from _lines(queries.contents(connection))

        return StreamingResponse(read(), media_type=NDJSON)


def _add_past(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/books/ledger/past")
    def past() -> StreamingResponse:
        """Each case as it was recorded and what became of it, for a replay of another policy."""

        def read() -> Iterator[str]:
            with gateway.read() as connection:
                cases = queries.past(connection)
                while block := list(islice(cases, queries.BLOCK)):
                    yield "".join(f"{queries.past_line(*stored)}\n" for stored in block)

        with gateway.read() as connection:
            total = queries.count(connection)
        return StreamingResponse(read(), media_type=NDJSON, headers={TOTAL: f"{total}"})


def _add_shadow(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/shadow")
    def shadow() -> ShadowReport:
        """What the candidate beside the policy in force has decided so far, and where otherwise."""
        with gateway.read() as connection:
            return shadowing.report(connection)


def _exported(entry: Entry) -> dict[str, object]:
    return {"entry": json.loads(entry.canonical), "hash": entry.hash.hex()}


def _lines(rows: Iterable[object]) -> Iterator[str]:
    """JSON lines, many to a piece: each piece costs the HTTP server a turn."""
    iterator = iter(rows)
    while block := list(islice(iterator, queries.BLOCK)):
        yield "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in block)
