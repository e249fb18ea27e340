"""Whatever goes wrong with a request, in plain words: problems by RFC 9457."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.domain.errors import Overloaded, Problem, Refusal, Unavailable
from shared.observe.logs import logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.routes import Misread

PROBLEM = "application/problem+json"


def problem_response(
    status: int,
    title: str,
    problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What is wrong, where, and how to mend it."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "; ".join(map(str, problems)) or title,
        "problems": [problem.plain() for problem in problems],
    }
    if status == 503:
        headers = {"Retry-After": "1", **(headers or {})}
    return Response(to_json(body), status, headers, PROBLEM)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem_response(error.status, "The request was refused", error.problems)


def _misread(request: Request, error: Exception) -> Response:
    assert isinstance(error, Misread)
    return problem_response(error.status, error.title, error.problems)


def _unavailable(request: Request, error: Exception) -> Response:
    _count(request, "unavailable")
    reason = Problem(field="", code="unavailable", message=f"{error}. Try again in a moment.")
    return problem_response(503, "A server that is needed is away", [reason])


def _overloaded(request: Request, error: Exception) -> Response:
    assert isinstance(error, Overloaded)
    _count(request, "overloaded")
    words = f"{error}. Nothing was done; send the same again in {error.seconds} s."
    reason = Problem(field="", code="overloaded", message=words)
    headers = {"Retry-After": f"{error.seconds}"}
    return problem_response(503, "The service takes on nothing more for now", [reason], headers)


def _count(request: Request, reason: str) -> None:
    metrics: Metrics | None = getattr(request.app.state, "metrics", None)
    if metrics is not None:
        metrics.turned_away.labels(reason).inc()


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_response(error.status_code, str(error.detail), headers=error.headers)


def _crashed(request: Request, error: Exception) -> Response:
    route = getattr(request.state, "route", "")
    logger("http").error("request failed", route=route, error=place_of(error))
    mend = "this is a fault of ours; the log of the service has its trace"
    reason = Problem(field="", code="internal", message=mend)
    return problem_response(500, "Something broke", [reason])


FAILURES: Mapping[Any, Callable[[Request, Exception], Response]] = {
    Refusal: _refused,
    Misread: _misread,
    Overloaded: _overloaded,
    Unavailable: _unavailable,
    HTTPException: _http_error,
    Exception: _crashed,
}
"""What answers for which exception; Starlette takes the nearest class."""
