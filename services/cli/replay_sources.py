"""Where a replay takes its cases from: the ledger's past, or a register of cases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from services.cli.installation import PATIENCE, Databases, content_of, home_of, reached, refused
from services.intake.importing.convert import Converter
from services.intake.importing.mapping import Mapping, load_mapping
from services.intake.importing.readers import open_table
from services.intake.importing.tables import Row
from services.intake.repeats import Matter, enter
from services.ledger import queries
from services.ledger.api import ERASED, TOTAL
from shared.domain.errors import ConfigurationError
from shared.policy import parse_policy
from shared.policy.load import read_bytes
from shared.settings import Settings


@dataclass
class Source:
    """Cases as lines for `replay_lines`, and the policy that they were decided by."""

    lines: Iterator[str]
    total: int | None
    baseline: bytes
    unread: int = 0
    """Rows of a register that are no cases: `concentric import` says why."""
    erased: int = 0
    """Cases of the past that cannot be decided once more: what was personal in them is gone."""


@contextmanager
def from_data(settings: Settings, baseline: Path | None) -> Iterator[Source]:
    """The ledger's past in the databases of the settings."""
    with Databases(settings).ledger() as (connection, in_force):
        lines = (queries.past_line(*stored) for stored in queries.past(connection))
        content = read_bytes(baseline) if baseline else in_force
        total, erased = queries.count(connection)
        yield Source(lines, total, content, erased=erased)


@contextmanager
def from_urls(urls: Sequence[str], baseline: Path | None) -> Iterator[Source]:
    """The ledger's past over HTTP; the policy in force from the router, unless one is given."""
    with httpx.Client(timeout=PATIENCE, follow_redirects=True) as client:
        content = read_bytes(baseline) if baseline else _in_force(client, urls)
        url = f"{home_of(client, urls, 'ledger')}/books/ledger/past"
        with reached(url), client.stream("GET", url) as answer:
            if answer.is_error:
                answer.read()
                raise refused(url, answer)
            total, erased = _count(answer, TOTAL), _count(answer, ERASED) or 0
            yield Source(answer.iter_lines(), total, content, erased=erased)


@contextmanager
def from_file(file: Path, mapping: Path, baseline: Path | None) -> Iterator[Source]:
    """A register of cases, read as `concentric import` reads it."""
    chosen = load_mapping(mapping)
    path = baseline or chosen.policy
    if path is None:
        raise ConfigurationError(
            f"{mapping} names no policy: name the one to compare with by --baseline."
        )
    content = read_bytes(path)
    days = parse_policy(f"{path}", content).repeat_days
    with open_table(file, chosen) as table:
        source = Source(iter(()), table.expected, content)
        source.lines = _submissions(table.rows, chosen, days, source)
        yield source


def _submissions(rows: Iterator[Row], mapping: Mapping, days: int, source: Source) -> Iterator[str]:
    now = datetime.now(UTC)
    converter = Converter(mapping, now)
    matters: dict[str, Matter] = {}
    seen: set[str] = set()
    for row in rows:
        command = converter.convert(row).command
        if command is None:
            source.unread += 1
            continue
        if command.about in seen:
            continue  # a row that stands there twice is one case
        seen.add(command.about)
        known = matters.get(command.matter) or Matter(fingerprint=command.matter)
        at = command.recorded_at or now
        matters[command.matter], repeat_of = enter(known, command.about, at, days)
        line = {"id": command.about, "repeat_of": repeat_of}
        yield f'{json.dumps(line)[:-1]}, "submission": {command.model_dump_json()}}}'


def _in_force(client: httpx.Client, urls: Sequence[str]) -> bytes:
    instead = ", or name the policy by --baseline"
    url = f"{home_of(client, urls, 'router', instead)}/policies"
    current = [one["number"] for one in _get(client, url)["versions"] if one["in_force"]]
    if not current:
        raise ConfigurationError(f"{url} names no policy in force: name one by --baseline.")
    content: str = _get(client, f"{url}/{current[0]}")["content"]
    return content.encode()


def _count(answer: httpx.Response, header: str) -> int | None:
    number = answer.headers.get(header, "")
    return int(number) if number.isdecimal() else None


def _get(client: httpx.Client, url: str) -> Any:
    with reached(url):
        answer = client.get(url)
    return content_of(url, answer)
