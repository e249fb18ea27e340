"""What is put can be got again, and costs one statement for a whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from shared.domain.case import Standing, State
from shared.storage.backend import Changes, Claim, Hot, Opened, Row
from shared.storage.storage import Storage
from tests.contract.storage.workshop import DIARY, REPAIRS, TOOLS, Repair, Tool


@dataclass
class Watched:
    """Hot statements that are counted."""

    hot: Hot
    loaded: list[dict[str, list[str]]] = field(default_factory=list)
    written: list[Changes] = field(default_factory=list)

    def open(
        self,
        connection: sa.Connection,
        claim: Claim | None,
        wanted: Mapping[sa.Table, Sequence[str]],
    ) -> Opened:
        if wanted:
            self.loaded.append({table.name: list(keys) for table, keys in wanted.items()})
        return self.hot.open(connection, claim, wanted)

    def insert_ahead(
        self, connection: sa.Connection, inserts: Mapping[sa.Table, Sequence[Row]]
    ) -> None:
        self.hot.insert_ahead(connection, inserts)

    def settle(self, connection: sa.Connection) -> None:
        self.hot.settle(connection)

    def write(self, connection: sa.Connection, changes: Changes, *, commit: bool) -> None:
        changes = replace(changes, upserts=list(changes.upserts))
        self.written.append(changes)
        self.hot.write(connection, changes, commit=commit)


@pytest.fixture
def watched(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched(storage.backend.hot)
    monkeypatch.setattr(storage.backend, "hot", watched)
    return watched


def keep(storage: Storage, now: datetime, *tools: Tool) -> None:
    with storage.transaction(now) as tx:
        for tool in tools:
            tx.put(TOOLS, tool)


def got(storage: Storage, now: datetime, key: str) -> Tool | None:
    with storage.transaction(now) as tx:
        return tx.get(TOOLS, key)


def test_an_entity_comes_back_as_it_was_put(storage: Storage, now: datetime) -> None:
    saw = Tool(id="锯子 'a\"\\{}", place="Scheune\n2", uses=-7, bought_at=2**62, sharp=False)
    keep(storage, now, saw)
    assert got(storage, now, saw.id) == saw


def test_what_was_never_put_is_none(storage: Storage, now: datetime) -> None:
    assert got(storage, now, "saw") is None


def test_a_transaction_gets_the_same_object_every_time(storage: Storage, now: datetime) -> None:
    keep(storage, now, Tool(id="saw"))
    with storage.transaction(now) as tx:
        assert tx.get(TOOLS, "saw") is tx.get(TOOLS, "saw")


def test_a_transaction_sees_its_own_puts(storage: Storage, now: datetime) -> None:
    keep(storage, now, Tool(id="saw"))
    with storage.transaction(now) as tx:
        for uses in (1, 2):
            worn = Tool(id="saw", uses=uses)
            tx.put(TOOLS, worn)
            assert tx.get(TOOLS, "saw") is worn


def test_preloading_takes_one_query_and_getting_none(
    storage: Storage, watched: Watched, now: datetime
) -> None:
    keep(storage, now, *(Tool(id=f"tool {number}") for number in range(20)))
    with storage.transaction(now) as tx:
        tx.preload((TOOLS, f"tool {number}") for number in range(30))
        for number in range(30):
            assert (tx.get(TOOLS, f"tool {number}") is None) == (number >= 20)
    [loaded] = watched.loaded
    assert len(loaded["tools"]) == 30


def test_preloading_asks_only_for_what_is_not_known(
    storage: Storage, watched: Watched, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="put"))
        tx.get(TOOLS, "got")
        tx.preload([(TOOLS, "put"), (TOOLS, "got"), (TOOLS, "new"), (TOOLS, "new")])
        tx.preload([(TOOLS, "new")])
    assert watched.loaded == [{"tools": ["got"]}, {"tools": ["new"]}]


def test_preloading_serves_several_collections(
    storage: Storage, watched: Watched, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="saw"))
        tx.put(REPAIRS, Repair(case_id="saw", unit="smithy"))
    with storage.transaction(now) as tx:
        tx.preload([(TOOLS, "saw"), (REPAIRS, "saw")])
        assert tx.get(TOOLS, "saw") == Tool(id="saw")
        assert tx.get(REPAIRS, "saw") == Repair(case_id="saw", unit="smithy")
    assert watched.loaded == [{"repairs": ["saw"], "tools": ["saw"]}]


def test_two_puts_of_an_entity_are_one_row_in_one_statement(
    storage: Storage, watched: Watched, now: datetime
) -> None:
    keep(storage, now, Tool(id="saw", uses=1), Tool(id="axe"), Tool(id="saw", uses=2))
    [changes] = watched.written
    [upsert] = changes.upserts
    assert [row[0] for row in upsert.rows] == ["axe", "saw"]
    assert got(storage, now, "saw") == Tool(id="saw", uses=2)


def test_putting_back_what_was_got_writes_nothing(
    storage: Storage, watched: Watched, now: datetime
) -> None:
    keep(storage, now, Tool(id="saw"))
    watched.written.clear()
    with storage.transaction(now) as tx:
        saw = tx.get(TOOLS, "saw")
        assert saw is not None
        tx.put(TOOLS, saw)
    assert watched.written == []


def test_a_later_transaction_replaces_entity_and_columns(storage: Storage, now: datetime) -> None:
    keep(storage, now, Tool(id="saw", place="barn", uses=1, sharp=True))
    keep(storage, now, Tool(id="saw", place=None, uses=2, sharp=None))
    columns = TOOLS.table.c
    with storage.read() as connection:
        query = sa.select(columns.key, columns.place, columns.uses, columns.sharp)
        assert connection.execute(query).all() == [("saw", None, 2, None)]


def test_extracted_columns_can_be_queried(storage: Storage, now: datetime) -> None:
    keep(storage, now, Tool(id="saw", place="barn"), Tool(id="axe", place="shed"))
    query = sa.select(TOOLS.table.c.key).where(TOOLS.table.c.place == "shed")
    with storage.read() as connection:
        assert connection.scalars(query).all() == ["axe"]
    with storage.transaction(now) as tx:
        assert tx.connection.scalars(query.with_for_update(skip_locked=True)).all() == ["axe"]


def test_an_aggregate_shows_its_version_state_and_round(storage: Storage, now: datetime) -> None:
    standing = Standing(state=State.CLOSED, round=3)
    with storage.transaction(now) as tx:
        tx.put(REPAIRS, Repair(case_id="c", version=7, standing=standing, unit="smithy"))
    columns = REPAIRS.table.c
    with storage.read() as connection:
        query = sa.select(columns.version, columns.state, columns.round, columns.unit)
        assert connection.execute(query).all() == [(7, "closed", 3, "smithy")]


def test_keys_are_ordered_byte_by_byte(storage: Storage, now: datetime) -> None:
    keys = ["B", "a", "Z", "ä", "z", "-", "中"]
    keep(storage, now, *(Tool(id=key) for key in keys))
    key = TOOLS.table.c.key
    with storage.read() as connection:
        assert connection.scalars(sa.select(key).order_by(key)).all() == sorted(keys)


def test_a_log_keeps_its_rows_in_full(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        tx.append(DIARY, 2**40, "first", b"\x00\xff")
        tx.append(DIARY, 2**40 + 1, "zweite Zeile", None)
    with storage.read() as connection:
        rows = connection.execute(sa.select(DIARY.table).order_by("number")).all()
    assert rows == [(2**40, "first", b"\x00\xff"), (2**40 + 1, "zweite Zeile", None)]


def test_undoing_restores_what_was_kept(storage: Storage, now: datetime) -> None:
    keep(storage, now, Tool(id="saw"), Tool(id="axe"))
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="saw", uses=1))
        tx.append(DIARY, 1, "kept", None)
        tx.keep()
        tx.put(TOOLS, Tool(id="saw", uses=2))
        tx.put(TOOLS, Tool(id="saw", uses=3))
        tx.put(TOOLS, Tool(id="axe", uses=1))
        tx.put(TOOLS, Tool(id="new"))
        tx.append(DIARY, 2, "undone", None)
        tx.undo()
        assert tx.get(TOOLS, "saw") == Tool(id="saw", uses=1)
        assert tx.get(TOOLS, "axe") == Tool(id="axe")
        assert tx.get(TOOLS, "new") is None
    assert got(storage, now, "saw") == Tool(id="saw", uses=1)
    assert got(storage, now, "axe") == Tool(id="axe")
    assert got(storage, now, "new") is None
    with storage.read() as connection:
        assert connection.scalars(sa.select(DIARY.table.c.line)).all() == ["kept"]


def test_what_is_kept_cannot_be_undone(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="saw"))
        tx.keep()
        tx.put(TOOLS, Tool(id="axe"))
        tx.keep()
        tx.undo()
        assert (tx.get(TOOLS, "saw"), tx.get(TOOLS, "axe")) == (Tool(id="saw"), Tool(id="axe"))


def test_a_body_that_no_longer_fits_its_model_is_an_error(storage: Storage, now: datetime) -> None:
    keep(storage, now, Tool(id="saw"))
    with storage.transaction(now) as tx:
        tx.connection.execute(TOOLS.table.update().values(body='{"uses": "many"}'))
    with pytest.raises(ValueError, match=r"Expected `int`, got `str` - at `\$\.uses`"):
        got(storage, now, "saw")
