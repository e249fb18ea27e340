"""The API's description: OpenAPI 3.1 for tools, and a page that needs nothing else for people."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal

from pydantic import TypeAdapter
from starlette.responses import HTMLResponse, Response

from shared.runtime.routes import Endpoint, Routes

SCHEMAS = "#/components/schemas/{model}"

_Key = tuple[str, str]
"""An endpoint's name, and which of its parts: `query`, `body`, `form` or `answer`."""


def describe(endpoints: Sequence[Endpoint], title: str, description: str) -> dict[str, Any]:
    """The OpenAPI document of these endpoints."""
    schemas, definitions = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas, definitions)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": description, "version": "1"},
        "paths": paths,
        "components": {"schemas": definitions},
    }


def description_routes(endpoints: Sequence[Endpoint], title: str, description: str) -> Routes:
    """`GET /openapi.json`, and `GET /docs` as people read it; made when first asked for."""
    routes = Routes("description")

    @routes.get("/openapi.json")
    def document() -> dict[str, Any]:
        """This description, for tools."""
        return describe(endpoints, title, description)

    @routes.get("/docs", media_type="text/html")
    def page() -> Response:
        """This description, for people."""
        # a service that never shows the page need not have the templates' library in memory
        from jinja2 import Environment  # noqa: PLC0415

        template = files(__package__).joinpath("api.html").read_text(encoding="utf-8")
        pages = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        shown = describe(endpoints, title, description)
        return HTMLResponse(pages.from_string(template).render(api=shown))

    return routes


def _schemas(
    endpoints: Sequence[Endpoint],
) -> tuple[dict[_Key, dict[str, Any]], dict[str, Any]]:
    """The schema of each part of each endpoint, and of all models that they name."""
    parts: list[tuple[_Key, Literal["validation", "serialization"], TypeAdapter[Any]]] = []
    for endpoint in endpoints:
        for source, adapter in endpoint.checked.items():
            parts.append(((endpoint.name, source), "validation", adapter))
        if _is_json(endpoint):
            parts.append(((endpoint.name, "answer"), "serialization", TypeAdapter(endpoint.answer)))
    found, rest = TypeAdapter.json_schemas(parts, ref_template=SCHEMAS)
    return {key: schema for (key, _), schema in found.items()}, rest.get("$defs", {})


def _is_json(endpoint: Endpoint) -> bool:
    answer = endpoint.answer
    return not (inspect.isclass(answer) and issubclass(answer, Response))


def _operation(
    endpoint: Endpoint, schemas: dict[_Key, dict[str, Any]], definitions: dict[str, Any]
) -> dict[str, Any]:
    def schema(part: str) -> dict[str, Any]:
        return schemas.get((endpoint.name, part), {})

    summary, _, rest = (inspect.getdoc(endpoint.run) or "").partition("\n")
    operation: dict[str, Any] = {
        "tags": [endpoint.group],
        "operationId": endpoint.name,
        "summary": summary,
        "description": rest.strip(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in endpoint.path_parts
        ],
        "responses": {
            "200": {
                "description": "As asked",
                "content": {endpoint.media_type: {"schema": schema("answer")}},
            },
            "default": {
                "description": "A problem by RFC 9457: what is wrong, where, how to mend it",
                "content": {"application/problem+json": {}},
            },
        },
    }
    query = schema("query")
    asked = definitions.get(query.get("$ref", "").rpartition("/")[2], query)
    operation["parameters"] += [
        {
            "name": name,
            "in": "query",
            "required": name in asked.get("required", ()),
            "description": field.get("description", ""),
            "schema": field,
        }
        for name, field in asked.get("properties", {}).items()
    ]
    for source, media_type in _BODIES.items():
        if source in endpoint.checked:
            content = {media_type: {"schema": schema(source)}}
            operation["requestBody"] = {"required": True, "content": content}
    return operation


_BODIES = {"body": "application/json", "form": "application/x-www-form-urlencoded"}
