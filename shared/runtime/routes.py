"""Endpoints as plain functions: a service's API is a list of them, and nothing of the web server.

The name of a parameter says where its value comes from:

- the name of a part of the path: that part, as text;
- `query`: a pydantic model of the query string;
- `body`: the JSON body, of any type that pydantic can check;
- `form`: a pydantic model of a posted form;
- `request`: the request itself, for headers.

What is returned is sent as JSON, unless it is a response already.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.domain.errors import Problem
from shared.domain.model import Value
from shared.domain.problems import problems_of
from shared.runtime.turns import Turns

F = TypeVar("F", bound=Callable[..., Any])

SOURCES = ("query", "body", "form")
"""The parameters whose values are checked by pydantic."""


class Misread(Exception):
    """A request that cannot be understood: why, and the status that says so."""

    def __init__(self, status: int, title: str, *problems: Problem) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.problems = problems


@dataclass(frozen=True)
class Endpoint:
    """One function behind one path."""

    method: str
    path: str
    run: Callable[..., Any]
    group: str
    answer: Any
    """The type of what is sent back; a `Response` where it is no JSON."""
    media_type: str

    @cached_property
    def name(self) -> str:
        """What it is called in the API's description."""
        return f"{self.method.lower()} {self.path}"

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The function's parameters, with their types."""
        found = inspect.signature(self.run, eval_str=True).parameters
        return {name: parameter.annotation for name, parameter in found.items()}

    @cached_property
    def path_parts(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @cached_property
    def checked(self) -> dict[str, TypeAdapter[Any]]:
        """How `query`, `body` and `form` are checked, where the function takes them."""
        return {
            name: TypeAdapter(self.parameters[name]) for name in SOURCES if name in self.parameters
        }

    def route(self, turns: Turns | None = None) -> Route:
        """The endpoint as Starlette takes it; `turns` says when its function may run."""
        run = partial(_answer, self, turns)
        return Route(self.path, run, methods=[self.method], name=self.name)


class Routes:
    """The endpoints of one service."""

    def __init__(self, group: str = "") -> None:
        self.group = group
        self.endpoints: list[Endpoint] = []

    def get(
        self, path: str, *, answer: Any = None, media_type: str = "application/json"
    ) -> Callable[[F], F]:
        """Register a function that only reads; `answer` where its annotation does not say it."""
        return self._add("GET", path, answer, media_type)

    def post(
        self, path: str, *, answer: Any = None, media_type: str = "application/json"
    ) -> Callable[[F], F]:
        """Register a function that may change something."""
        return self._add("POST", path, answer, media_type)

    def include(self, others: Routes) -> None:
        """Take the endpoints of others as one's own."""
        self.endpoints += others.endpoints

    def _add(self, method: str, path: str, answer: Any, media_type: str) -> Callable[[F], F]:
        def register(run: F) -> F:
            told = answer or inspect.signature(run, eval_str=True).return_annotation
            self.endpoints.append(Endpoint(method, path, run, self.group, told, media_type))
            return run

        return register


async def _answer(endpoint: Endpoint, turns: Turns | None, request: Request) -> Response:
    # For the log of a crash; the address itself may hold the secret of a rating link.
    request.state.route = endpoint.path
    values: dict[str, Any] = {name: request.path_params[name] for name in endpoint.path_parts}
    if "request" in endpoint.parameters:
        values["request"] = request
    for source, adapter in endpoint.checked.items():
        values[source] = await _READERS[source](adapter, request)
    run = partial(endpoint.run, **values)
    told = await (run_in_threadpool(run) if turns is None else turns.run(run))
    return told if isinstance(told, Response) else json_response(told)


def json_response(value: Any, status: int = 200) -> Response:
    """What is answered, as JSON; models by the names that they have outside."""
    body = to_json(value, by_alias=True, fallback=Value.plain)
    return Response(body, status, media_type="application/json")


async def _query(adapter: TypeAdapter[Any], request: Request) -> Any:
    return _validated(adapter, dict(request.query_params))


async def _form(adapter: TypeAdapter[Any], request: Request) -> Any:
    async with request.form(max_files=0, max_fields=100) as form:
        return _validated(adapter, dict(form))


async def _body(adapter: TypeAdapter[Any], request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        # A form of another site could send anything else without asking us first.
        mend = "send JSON, with the header `Content-Type: application/json`"
        reason = Problem(field="", code="content-type", message=mend)
        raise Misread(415, "The body is not declared as JSON", reason)
    try:
        given = from_json(await request.body(), allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        reason = Problem(field="", code="not-json", message=f"not JSON in UTF-8: {error}")
        raise Misread(400, "The body is not JSON", reason) from error
    return _validated(adapter, given)


def _validated(adapter: TypeAdapter[Any], given: Any) -> Any:
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        raise Misread(422, "The request cannot be understood", *problems_of(error)) from error


_READERS = {"query": _query, "body": _body, "form": _form}
