"""The JSON Schema of the policy file, for editors that complete and check while one writes.

It knows the shape and the fixed words. What the file itself declares (units, colours, facts) is
checked when it is loaded, with lines and suggestions.

Run as `python -m shared.policy.schema.json_schema > examples/policies/policy.schema.json`.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from shared.policy.schema.document import Document
from shared.policy.schema.parts import Part

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a policy file in draft 2020-12, with descriptions from the code's docstrings.

    A file names it, from where it stands: `# yaml-language-server: $schema=policy.schema.json`.
    """
    schema = Document.model_json_schema(by_alias=True)
    described = {part.__name__: _descriptions(part) for part in _parts(Part)}
    for name, definition in [*schema["$defs"].items(), (Document.__name__, schema)]:
        for shape in (definition, *definition.get("anyOf", ())):
            _describe(shape.get("properties", {}), described.get(name, {}))
    return {"$schema": DIALECT, **schema, "title": "Concentric policy"}


def _describe(properties: dict[str, dict[str, Any]], texts: Mapping[str, str]) -> None:
    for key, value in properties.items():
        value.pop("title", None)  # the name again, with a capital
        if key in texts:
            value["description"] = texts[key]


def _parts(part: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for derived in part.__subclasses__():
        yield derived
        yield from _parts(derived)


def _descriptions(part: type[BaseModel]) -> dict[str, str]:
    """The docstring below each field, by the field's name in the file."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
    assert isinstance(tree, ast.ClassDef)
    texts = {}
    for field, below in pairwise(tree.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            name = part.model_fields[field.target.id].alias or field.target.id
            texts[name] = inspect.cleandoc(str(below.value.value))
    return texts


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")
