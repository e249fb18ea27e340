"""What holds for every service of the house: its tables, its ears, its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.embedded.catalogue import NAMES, load
from shared.bus.listeners import LISTENERS
from shared.domain.commands import COMMANDS
from shared.storage.schema import assert_schema_matches
from tests.support.machine import storage_of

every_service = pytest.mark.parametrize("name", NAMES)


@every_service
def test_the_table_of_listeners_says_what_the_service_hears(name: str) -> None:
    declared = next(each for each in LISTENERS if each.service == name)
    actual = load(name).subscription()
    assert set(declared.events) == set(actual.events)
    assert set(declared.commands) == set(actual.commands)


def test_the_table_of_listeners_names_every_service_once() -> None:
    assert tuple(each.service for each in LISTENERS) == NAMES


def test_every_command_is_carried_out_by_one_service() -> None:
    carried_out = [command for each in LISTENERS for command in each.commands]
    assert sorted(carried_out) == sorted(COMMANDS)


@every_service
def test_the_migrations_make_the_tables_that_the_code_declares_on_sqlite(
    name: str, tmp_path: Path
) -> None:
    storage = storage_of(load(name), tmp_path)
    storage.migrate()
    assert_schema_matches(storage)
    storage.close()


@every_service
def test_the_migrations_make_the_tables_that_the_code_declares_on_postgresql(
    name: str, tmp_path: Path, database: str
) -> None:
    storage = storage_of(load(name), tmp_path, database)
    storage.migrate()
    assert_schema_matches(storage)
    storage.close()
