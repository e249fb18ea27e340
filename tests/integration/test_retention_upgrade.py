"""Books of a release that knew no erasure: what is needed for it is filled in by the upgrade."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.deadline.service import DEADLINE
from services.evaluation.service import EVALUATION
from services.intake.service import INTAKE
from services.notify.service import NOTIFY
from shared.domain.aggregates import Record
from shared.domain.model import micros
from shared.runtime.service import Service
from tests.support.earlier import earlier, write
from tests.support.machine import storage_of
from tests.support.story import Story


def upgraded(
    service: Service, last: str, row: dict[str, Any], table: str, folder: Path, url: str | None
) -> dict[str, Any]:
    """A row of the release that ended with that revision, as it stands after the upgrade."""
    old = earlier(service, last, folder, url)
    write(old, table, **row)
    old.close()
    new = storage_of(service, folder, url)
    new.migrate()
    with new.read() as connection:
        found = connection.execute(sa.select(service.metadata.tables[table])).one()
    new.close()
    return found._asdict()


def test_an_ended_case_counts_from_the_upgrade_on(tmp_path: Path, url: str | None) -> None:
    story = Story().recorded()
    body = story.record.plain()
    for later in ("ended_at", "erased_at"):
        del body[later]
    body["standing"]["state"] = "closed"
    row = {"key": story.id, "version": 1, "state": "closed", "round": 1, "body": json.dumps(body)}
    before = datetime.now(UTC)
    found = upgraded(INTAKE, "0003", row, "records", tmp_path, url)
    record = Record.from_json(found["body"])
    assert record.ended_at is not None
    assert before <= record.ended_at <= datetime.now(UTC)
    assert (found["kind"], found["ended_at"]) == ("problem", micros(record.ended_at))
    assert record.case == story.case


@pytest.mark.parametrize(
    ("state", "stopped_at", "due_at"),
    [("open", None, 9), ("open", 5, None), ("closed", None, None)],
)
def test_clocks_that_wait_no_more_are_no_longer_in_the_index_of_what_is_due(
    state: str, stopped_at: int | None, due_at: int | None, tmp_path: Path, url: str | None
) -> None:
    row = {"key": "case-1", "state": state, "stopped_at": stopped_at, "due_at": 9, "body": "{}"}
    found = upgraded(DEADLINE, "0003", row, "clocks", tmp_path, url)
    assert (found["stopped_at"], found["due_at"]) == (stopped_at, due_at)


@pytest.mark.parametrize("service", [DEADLINE, EVALUATION, INTAKE, NOTIFY], ids=lambda s: s.name)
def test_indexes_of_what_few_rows_have_hold_no_other_rows(
    service: Service, tmp_path: Path, url: str | None
) -> None:
    storage = storage_of(service, tmp_path, url)
    storage.migrate()
    option = "sqlite_where" if url is None else "postgresql_where"
    with storage.read() as connection:
        found = {
            index["name"]: f"{index['dialect_options'].get(option, '')}"
            for table in service.metadata.tables
            for index in sa.inspect(connection).get_indexes(table)
        }
    storage.close()
    declared = {
        index.name: list(index.columns)[-1].name
        for table in service.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert declared
    for name, column in declared.items():
        assert f"{column} IS NOT NULL" in found[name]


def test_delivered_lists_lose_their_subjects(tmp_path: Path, url: str | None) -> None:
    listed = {"case_id": "case-1", "colour": "red", "subject": "zqx"}
    body = {"state": "delivered", "day_list": {"day": "2026-03-02", "today": [listed]}}
    row = {"key": "n", "state": "delivered", "case_id": None, "body": json.dumps(body)}
    found = upgraded(NOTIFY, "0002", row, "notices", tmp_path, url)
    assert "zqx" not in found["body"]
    assert json.loads(found["body"])["day_list"]["today"][0]["case_id"] == "case-1"
