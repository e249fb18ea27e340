"""The HTTP side of every service: its API, problems in plain words, health and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.domain.errors import Problem, Refusal, Unavailable
from shared.domain.problems import problems_in
from shared.observe.logs import logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.books import BLOCK, lines
from shared.runtime.handling import Sample
from shared.runtime.host import Host

PROBLEM = "application/problem+json"

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of a request; a thousand cases of usual size fit in."""


def application(hosts: Sequence[Host], metrics: Metrics) -> FastAPI:
    """One HTTP application over the services that run in this process."""
    names = ", ".join(host.service.name for host in hosts)
    app = FastAPI(
        title="Concentric",
        description=f"Closed-loop case handling: {names}.",
        docs_url="/docs",
        redoc_url=None,
    )
    app.add_middleware(_BodyLimit)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _crashed)
    _add_health(app, hosts)
    _add_metrics(app, hosts, metrics)
    _add_books(app, hosts)
    for host in hosts:
        app.include_router(host.service.api(host.gateway), tags=[host.service.name])
    return app


def problem_response(status: int, title: str, problems: Sequence[Problem] = ()) -> JSONResponse:
    """An answer by RFC 9457: what is wrong, where, and how to mend it."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "; ".join(map(str, problems)) or title,
        "problems": [problem.model_dump() for problem in problems],
    }
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(body, status, headers, media_type=PROBLEM)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem_response(error.status, "The request was refused", error.problems)


def _unavailable(request: Request, error: Exception) -> Response:
    reason = Problem(field="", code="unavailable", message=f"{error}. Try again in a moment.")
    return problem_response(503, "A server that is needed is away", [reason])


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # FastAPI puts where a value came from first: `body`, `query`, `path`.
    issues = [ErrorDetails({**issue, "loc": issue["loc"][1:]}) for issue in error.errors()]  # type: ignore[typeddict-item]
    broken = next((issue for issue in issues if issue["type"] == "json_invalid"), None)
    if broken is not None:
        # For these the place is the number of a character.
        where, what = broken["loc"][0], broken.get("ctx", {}).get("error", "not JSON")
        reason = Problem(field="", code="not-json", message=f"at character {where}: {what}")
        return problem_response(400, "The body is not JSON", [reason])
    return problem_response(422, "The request cannot be understood", problems_in(issues))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and "parsing the body" in str(error.detail):
        mend = "the body is not text in UTF-8; send JSON encoded in UTF-8"
        reason = Problem(field="", code="encoding", message=mend)
        return problem_response(400, "The body cannot be read", [reason])
    return problem_response(error.status_code, str(error.detail))


def _crashed(request: Request, error: Exception) -> Response:
    # The route, not the path: that of a rating link is a secret.
    route = getattr(request.scope.get("route"), "path", "")
    logger("http").error("request failed", route=route, error=place_of(error))
    mend = "this is a fault of ours; the log of the service has its trace"
    return problem_response(
        500, "Something broke", [Problem(field="", code="internal", message=mend)]
    )


class _BodyLimit:
    """Refuses bodies that are too large before they are in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > LARGEST_BODY:
            await self._refuse(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                raise HTTPException(413, _TOO_LARGE)
            return message

        await self._app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await problem_response(413, _TOO_LARGE)(scope, receive, send)


_TOO_LARGE = f"The body is larger than {LARGEST_BODY // 1024 // 1024} MiB: send it in parts"


def _add_health(app: FastAPI, hosts: Sequence[Host]) -> None:
    @app.get("/healthz", tags=["health"], response_class=PlainTextResponse)
    def alive() -> str:
        """The process answers."""
        return "ok\n"

    @app.get("/readyz", tags=["health"])
    def ready() -> Response:
        """Every service here can do its work; otherwise 503 with what is away."""
        away = {host.service.name: host.problems for host in hosts if host.problems}
        return JSONResponse({"ready": not away, "problems": away}, 503 if away else 200)


def _add_metrics(app: FastAPI, hosts: Sequence[Host], metrics: Metrics) -> None:
    for host in hosts:
        metrics.registry.register(_Figures(host))

    @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    def show() -> Response:
        """Metrics in the Prometheus text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Figures(Collector):
    """The gauges of a service's own tables, read when they are asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: a registry that asks would read the tables at the start."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One family for each name."""
        families: dict[str, GaugeMetricFamily] = {}
        for sample in self._samples():
            labels = tuple(sample.labels)
            if sample.name not in families:
                families[sample.name] = GaugeMetricFamily(sample.name, sample.help, labels=labels)
            families[sample.name].add_metric(tuple(sample.labels.values()), sample.value)
        return families.values()

    def _samples(self) -> Sequence[Sample]:
        gauges = self._host.service.gauges
        if gauges is None:
            return ()
        try:
            with self._host.read() as connection:
                return list(gauges(connection, self._host.context()))
        except Unavailable:
            return ()


def _add_books(app: FastAPI, hosts: Sequence[Host]) -> None:
    @app.get("/books", tags=["audit"])
    def services() -> dict[str, dict[str, int]]:
        """The services that run here, and how many messages each has waiting and parked."""
        counts = {host.service.name: host.storage.counts() for host in hosts}
        return {
            name: {"outbox": count.outbox, "parked": count.parked} for name, count in counts.items()
        }

    @app.get("/books/{service}", tags=["audit"])
    def books(service: str) -> StreamingResponse:
        """Every case in a service's books, one JSON line each, in the order of their ids."""
        host = next((host for host in hosts if host.service.name == service), None)
        if host is None:
            raise HTTPException(404, f"{service} does not run here")
        return StreamingResponse(_lines(host), media_type="application/x-ndjson")


def _lines(host: Host) -> Iterator[str]:
    with host.read() as connection:
        rows = lines(connection, host.service.books)
        while block := list(islice(rows, BLOCK)):
            yield "".join(f"{json.dumps(row)}\n" for row in block)
