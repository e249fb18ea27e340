"""Commands over HTTP: the same names and bodies as over the queue, answered after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ValidationError

from shared.domain.commands import Command
from shared.domain.errors import Problem, Refusal
from shared.domain.events import CaseRecorded, Event
from shared.domain.problems import problems_of
from shared.runtime.gateway import Gateway
from shared.runtime.work import Outcome

MOST = 1000
"""Commands in one request."""


class Done(BaseModel):
    """What a command led to."""

    case_id: str
    events: list[str]
    """Types of the events that followed; none where everything had been done before."""
    repeat_of: str | None = None
    """The earlier case that a case recorded by this command repeats."""


class Answer(BaseModel):
    """One command's outcome among several."""

    case_id: str | None = None
    events: list[str] = []
    repeat_of: str | None = None
    problems: list[Problem] = []


def command_routes(commands: Iterable[type[Command]], gateway: Gateway) -> APIRouter:
    """`POST /commands/TYPE` and `POST /commands/TYPE/batch` for each of a service's commands."""
    router = APIRouter()
    for command_type in commands:
        _add_single(router, command_type, gateway)
        _add_batch(router, command_type, gateway)
    return router


def _add_single(router: APIRouter, command_type: type[Command], gateway: Gateway) -> None:
    def endpoint(command: Any, response: Response) -> Done:
        events = gateway.execute(command)
        if any(isinstance(event, CaseRecorded) for event in events):
            response.status_code = 201
        return Done(
            case_id=_case_id(command, events),
            events=[event.type for event in events],
            repeat_of=_repeat_of(events),
        )

    endpoint.__annotations__["command"] = command_type
    endpoint.__doc__ = command_type.__doc__
    router.post(f"/commands/{command_type.type}", name=command_type.type)(endpoint)


def _add_batch(router: APIRouter, command_type: type[Command], gateway: Gateway) -> None:
    def endpoint(
        commands: Annotated[list[dict[str, Any]], Body(max_length=MOST, min_length=1)],
    ) -> list[Answer]:
        read = [_read(command_type, raw) for raw in commands]
        valid = [command for command in read if isinstance(command, Command)]
        outcomes = iter(gateway.execute_all(valid) if valid else ())
        return [_answer(one, next(outcomes) if isinstance(one, Command) else one) for one in read]

    endpoint.__doc__ = f"Up to {MOST} at once, each answered for itself. {command_type.__doc__}"
    router.post(f"/commands/{command_type.type}/batch", name=f"{command_type.type} batch")(endpoint)


def _read(command_type: type[Command], raw: dict[str, Any]) -> Command | Refusal:
    try:
        return command_type.model_validate(raw)
    except ValidationError as error:
        return Refusal(problems_of(error))


def _answer(command: Command | Refusal, outcome: Outcome) -> Answer:
    case_id = command.about if isinstance(command, Command) else None
    if isinstance(outcome, Refusal):
        return Answer(case_id=case_id, problems=list(outcome.problems))
    if isinstance(outcome, Exception):
        mend = "the service could not carry this out; its log has the trace"
        return Answer(case_id=case_id, problems=[Problem(field="", code="failed", message=mend)])
    return Answer(
        case_id=case_id,
        events=[event.type for event in outcome],
        repeat_of=_repeat_of(outcome),
    )


def _case_id(command: Command, events: Sequence[Event]) -> str:
    return events[0].case_id if events else command.about


def _repeat_of(events: Sequence[Event]) -> str | None:
    recorded = (event for event in events if isinstance(event, CaseRecorded))
    return next((event.case.repeat_of for event in recorded), None)
