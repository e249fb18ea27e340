"""Commands over HTTP: the same names and bodies as over the queue, answered after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from shared.domain.commands import Command
from shared.domain.errors import Problem, Refusal
from shared.domain.events import CaseRecorded, Event
from shared.domain.problems import problems_of
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes, json_response
from shared.runtime.work import Outcome

MOST = 1000
"""Commands in one request."""


Several = Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]
"""Commands, each checked for itself."""


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


def command_routes(group: str, commands: Iterable[type[Command]], gateway: Gateway) -> Routes:
    """`POST /commands/TYPE` and `POST /commands/TYPE/batch` for each of a service's commands."""
    routes = Routes(group)
    for command_type in commands:
        _add_single(routes, command_type, gateway)
        _add_batch(routes, command_type, gateway)
    return routes


def _add_single(routes: Routes, command_type: type[Command], gateway: Gateway) -> None:
    def endpoint(body: Any) -> Response:
        events = gateway.execute(body)
        done = Done(
            case_id=_case_id(body, events),
            events=[event.type for event in events],
            repeat_of=_repeat_of(events),
        )
        created = any(isinstance(event, CaseRecorded) for event in events)
        return json_response(done, 201 if created else 200)

    endpoint.__annotations__["body"] = command_type
    endpoint.__doc__ = command_type.__doc__
    routes.post(f"/commands/{command_type.type}", answer=Done)(endpoint)


def _add_batch(routes: Routes, command_type: type[Command], gateway: Gateway) -> None:
    def endpoint(body: Several) -> list[Answer]:
        read = [_read(command_type, raw) for raw in body]
        valid = [command for command in read if isinstance(command, Command)]
        outcomes = iter(gateway.execute_all(valid) if valid else ())
        return [_answer(one, next(outcomes) if isinstance(one, Command) else one) for one in read]

    endpoint.__doc__ = f"Up to {MOST} at once, each answered for itself. {command_type.__doc__}"
    routes.post(f"/commands/{command_type.type}/batch")(endpoint)


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
