"""Looking for cases: what may be asked, and how one goes on where a list ended."""

from __future__ import annotations

import re
from typing import Annotated

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.ledger import queries
from services.ledger.dossier import Dossier
from services.ledger.figures import Titles
from services.ledger.queries import case
from services.ledger.reading import CaseLine, line_of
from services.ledger.report import titles
from shared.domain.case import Name, State, Text
from shared.domain.errors import Refusal
from shared.domain.model import Input, micros
from shared.runtime.gateway import Gateway


class CaseQuery(Input):
    """What cases are looked for; everything left out means any."""

    state: State | None = None
    colour: Name | None = None
    unit: Name | None = None
    """The unit that has to answer."""
    overdue: bool | None = None
    """Whether the answer is owed beyond its due date."""
    q: Annotated[Text, Field(max_length=200)] = ""
    """Words that all stand in the subject, the text, the place or the number of the case."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str | None, Field(max_length=250)] = None
    """`next` of the list before."""


class CaseList(BaseModel):
    """A part of a list."""

    cases: list[CaseLine]
    next: str | None
    """Give it as `after` for the cases that follow; null at the end."""
    titles: Titles


def search(gateway: Gateway, query: CaseQuery) -> CaseList:
    """The cases that meet the query; raises `Refusal` for an `after` that is none of ours."""
    context = gateway.context
    now = micros(context.now)
    assert now is not None
    with gateway.read() as connection:
        found = queries.listing(
            connection,
            _conditions(query, now),
            words=query.q,
            after=None if query.after is None else _read_place(query.after),
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    return CaseList(
        cases=[line_of(dossier, facts, context.now) for dossier, facts in shown],
        next=_place(shown[-1][0]) if len(found) > query.limit else None,
        titles=titles(context.policy),
    )


def _conditions(query: CaseQuery, now: int) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.state is not None:
        conditions.append(case.state == query.state.value)
    if query.colour is not None:
        conditions.append(case.colour == query.colour)
    if query.unit is not None:
        conditions.append(case.unit == query.unit)
    if query.overdue is not None:
        late = queries.overdue(now)
        # a case without a due date is not overdue either
        conditions.append(late if query.overdue else sa.not_(sa.func.coalesce(late, sa.false())))
    return conditions


def _place(dossier: Dossier) -> str:
    return f"{micros(dossier.recorded_at)}-{dossier.case_id}"


def _read_place(text: str) -> tuple[int, str]:
    known = re.fullmatch(r"(-?[0-9]{1,17})-([^\x00]+)", text)
    if known is None:
        raise Refusal.of("after", "no-place", "Give `next` of the list before, or leave it out.")
    return int(known[1]), known[2]
