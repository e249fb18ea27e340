"""Data as YAML in the hand of the policy files: short mappings in braces, words unquoted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

WIDTH = 100

_PLAIN = re.compile(r"[A-Za-z\u4e00-\u9fff]([\w\u4e00-\u9fff -]*[\w\u4e00-\u9fff])?", re.ASCII)
_NOT_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that this or another reader of YAML takes for something else."""


def scalar(value: Any) -> str:
    """A text, a number, true or false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}"
    text = f"{value}"
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # not by json: YAML knows no surrogates
    return "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in quoted)


def flow(value: Any) -> str:
    """Any data in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def row(data: Mapping[str, Any], indent: int) -> list[str]:
    """A row of a table, its dash at this column."""
    lines = []
    for number, (key, value) in enumerate(data.items()):
        lead = " " * indent + ("- " if number == 0 else "  ") + f"{scalar(key)}:"
        short = f"{lead} {flow(value)}"
        if len(short) <= WIDTH or not isinstance(value, Mapping):
            lines.append(short)
            continue
        lines.append(lead)
        inner = " " * (indent + 4)
        lines += [f"{inner}{scalar(name)}: {flow(one)}" for name, one in value.items()]
    return lines


def section(name: str, data: Any) -> list[str]:
    """A table's whole section: a list of rows, or a mapping with `rows`."""
    if isinstance(data, list):
        return [f"{name}:", *(line for one in data for line in row(one, 2))]
    lines = [f"{name}:"]
    for key, value in data.items():
        if key == "rows":
            lines += ["  rows:", *(line for one in value for line in row(one, 4))]
        else:
            lines.append(f"  {scalar(key)}: {flow(value)}")
    return lines
