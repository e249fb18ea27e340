"""The HTTP side of every service: its API, health, metrics and books."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.domain.errors import Unavailable
from shared.observe.metrics import Metrics
from shared.runtime.books import BLOCK, lines
from shared.runtime.failures import FAILURES, problem_response
from shared.runtime.fresh import Fresh
from shared.runtime.handling import Sample
from shared.runtime.host import Host
from shared.runtime.openapi import description_routes
from shared.runtime.parked import parked_routes
from shared.runtime.routes import Routes, json_response
from shared.runtime.turns import Turns

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of a request; a thousand cases of usual size fit in."""


def application(hosts: Sequence[Host], metrics: Metrics) -> Starlette:
    """One HTTP application over the services that run in this process."""
    names = ", ".join(host.service.name for host in hosts)
    routes = Routes()
    for each in (_health(hosts), _metrics(hosts, metrics), _books(hosts), parked_routes(hosts)):
        routes.include(each)
    for host in hosts:
        routes.include(host.service.api(host.gateway))
    described = f"Closed-loop case handling: {names}."
    routes.include(description_routes(tuple(routes.endpoints), "Concentric", described))
    # Whoever asks how the service is gets an answer also while all others wait.
    turns, health = Turns(), Turns(at_once=2)
    app = Starlette(
        routes=[
            each.route(health if each.group == "health" else turns) for each in routes.endpoints
        ],
        middleware=[Middleware(_BodyLimit)],
        exception_handlers=FAILURES,
    )
    app.state.metrics = metrics
    return app


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


def _health(hosts: Sequence[Host]) -> Routes:
    routes = Routes("health")

    @routes.get("/healthz", media_type="text/plain")
    def alive() -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    @routes.get("/readyz", answer=dict[str, Any])
    def ready() -> Response:
        """Every service here can do its work; otherwise 503 with what is away."""
        away = {host.service.name: host.problems for host in hosts if host.problems}
        return json_response({"ready": not away, "problems": away}, 503 if away else 200)

    return routes


def _metrics(hosts: Sequence[Host], metrics: Metrics) -> Routes:
    routes = Routes("health")
    for host in hosts:
        metrics.registry.register(_Figures(host))

    @routes.get("/metrics", media_type="text/plain")
    def show() -> Response:
        """Metrics in the Prometheus text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes


class _Figures(Collector):
    """The gauges of a service's own tables, read when they are asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._fresh: Fresh[Sequence[Sample]] = Fresh()

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
        try:
            # what takes a long pass over all cases is not made anew at every look
            return self._fresh.get(self._host.service.name, self._read)
        except Unavailable:
            return ()

    def _read(self) -> Sequence[Sample]:
        gauges = self._host.service.gauges
        if gauges is None:
            return ()
        with self._host.read() as connection:
            return list(gauges(connection, self._host.context()))


def _books(hosts: Sequence[Host]) -> Routes:
    routes = Routes("audit")

    @routes.get("/books")
    def services() -> dict[str, dict[str, int]]:
        """The services that run here, and how many messages each has waiting and parked."""
        counts = {host.service.name: host.storage.counts() for host in hosts}
        return {
            name: {"outbox": count.outbox, "parked": count.parked} for name, count in counts.items()
        }

    @routes.get("/books/{service}", media_type="application/x-ndjson")
    def books(service: str) -> Response:
        """Every case in a service's books, one JSON line each, in the order of their ids."""
        host = next((host for host in hosts if host.service.name == service), None)
        if host is None:
            raise HTTPException(404, f"{service} does not run here")
        return StreamingResponse(_lines(host), media_type="application/x-ndjson")

    return routes


def _lines(host: Host) -> Iterator[str]:
    with host.read() as connection:
        rows = lines(connection, host.service.books)
        while block := list(islice(rows, BLOCK)):
            yield "".join(f"{json.dumps(row)}\n" for row in block)
