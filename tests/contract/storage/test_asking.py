"""Several statements go to PostgreSQL together, in its own binary format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import Transformer
from psycopg.pq import Format

from shared.storage.asking import LARGE, Asking, Question
from shared.storage.packed import TEXT, element_of, number
from tests.support.servers.server import libpq

TYPES: dict[str, tuple[sa.types.TypeEngine[Any], st.SearchStrategy[Any]]] = {
    "int8": (sa.BigInteger(), st.integers(-(2**63), 2**63 - 1)),
    "int4": (sa.Integer(), st.integers(-(2**31), 2**31 - 1)),
    "bool": (sa.Boolean(), st.booleans()),
    "text": (sa.Text(), st.text(st.characters(exclude_categories=["Cs"]))),
    "bytea": (sa.LargeBinary(), st.binary()),
}
COLUMNS = st.sampled_from(sorted(TYPES)).flatmap(
    lambda name: st.tuples(st.just(name), st.lists(st.none() | TYPES[name][1], min_size=1))
)


@pytest.fixture
def driver(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq(database), autocommit=True) as driver:
        yield driver


@given(COLUMNS)
def test_psycopg_reads_what_was_packed(column: tuple[str, Sequence[Any]]) -> None:
    name, values = column
    known = psycopg.adapters.types[name]
    element = element_of(sa.Column("column", TYPES[name][0]))
    assert element.oid == known.oid
    loader = Transformer().get_loader(known.array_oid, Format.BINARY)
    assert loader.load(element.array(values)) == list(values)


def test_a_type_that_cannot_be_packed_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"at is DateTime.*use text, integers, booleans or bytes"):
        element_of(sa.Column("at", sa.DateTime()))


def test_answers_come_in_the_order_of_the_questions(driver: psycopg.Connection[Any]) -> None:
    asked = Asking(driver).ask(
        [
            ("select $1::bigint + 1", [number(41)]),
            ("create table line (words text)", []),
            ("select * from unnest($1::text[]) with ordinality", [TEXT.array(["a", "字"])]),
        ]
    )
    assert asked == [[(b"42",)], [], [(b"a", b"1"), ("字".encode(), b"2")]]


def test_after_a_statement_that_fails_nothing_is_carried_out(
    driver: psycopg.Connection[Any],
) -> None:
    driver.execute("create table line (words text primary key)")
    asking, write = Asking(driver), "insert into line values ($1::text)"
    with pytest.raises(psycopg.errors.UniqueViolation):
        asking.ask([(write, [b"a"]), (write, [b"a"]), (write, [b"b"])])
    with pytest.raises(psycopg.errors.UndefinedTable):
        asking.ask([(write, [b"a"]), ("select from nowhere", [])])
    assert asking.ask([("select * from line", [])]) == [[]]


def test_what_was_to_be_prepared_behind_a_failure_is_prepared_when_it_is_asked_again(
    driver: psycopg.Connection[Any],
) -> None:
    asking = Asking(driver)
    with pytest.raises(psycopg.errors.UndefinedTable):
        asking.ask([("select from nowhere", []), ("select 1", [])])
    assert asking.ask([("select 1", []), ("select 2", [])]) == [[(b"1",)], [(b"2",)]]
    assert asking.ask([("select 2", [])]) == [[(b"2",)]]


def test_a_parameter_that_is_no_bytes_leaves_the_connection_in_order(
    driver: psycopg.Connection[Any],
) -> None:
    mistaken: Any = "no bytes"
    asking = Asking(driver)
    with pytest.raises(TypeError):
        asking.ask([("select 1", []), ("select $1::text", [mistaken])])
    assert asking.ask([("select $1::text", [b"bytes"])]) == [[(b"bytes",)]]


def test_a_question_that_cannot_be_put_together_leaves_the_connection_in_order(
    driver: psycopg.Connection[Any],
) -> None:
    def questions() -> Iterator[Question]:
        yield "begin", []
        yield "create table line (words text)", []
        raise ValueError("this row cannot be written")

    asking = Asking(driver)
    with pytest.raises(ValueError, match="this row"):
        asking.ask(questions())
    assert asking.in_transaction
    driver.rollback()
    with pytest.raises(psycopg.errors.UndefinedTable):
        asking.ask([("select * from line", [])])


def test_what_is_large_is_under_way_while_the_next_question_is_put_together(
    driver: psycopg.Connection[Any], database: str
) -> None:
    with psycopg.connect(libpq(database), autocommit=True) as other:

        def is_active() -> bool:
            query = "select state = 'active' from pg_stat_activity where pid = %s"
            row = other.execute(query, [driver.info.backend_pid]).fetchone()
            return row is not None and bool(row[0])

        def questions() -> Iterator[Question]:
            yield "select pg_sleep(1), length($1::text)", [b"a" * LARGE * 100]
            until = monotonic() + 0.9
            while not is_active():
                assert monotonic() < until
            yield "select 1", []

        assert Asking(driver).ask(questions())[1] == [(b"1",)]


def test_a_transaction_lasts_as_long_as_it_is_asked_to(driver: psycopg.Connection[Any]) -> None:
    asking = Asking(driver)
    assert not asking.in_transaction
    asking.ask([("begin", []), ("create table line (words text)", [])])
    assert asking.in_transaction
    driver.rollback()
    assert not asking.in_transaction
    with pytest.raises(psycopg.errors.UndefinedTable):
        asking.ask([("select * from line", [])])


def test_much_can_be_asked_while_much_is_answered(driver: psycopg.Connection[Any]) -> None:
    # more than the system holds on the way, in one statement and in many
    large = [b"0" * 20_000_000, *(b"%d" % digit * 100_000 for digit in range(10))] * 3
    answers = Asking(driver).ask([("select $1::text", [text]) for text in large])
    assert answers == [[(text,)] for text in large]


def test_a_statement_is_prepared_once(driver: psycopg.Connection[Any]) -> None:
    asking = Asking(driver)
    for _ in range(3):
        asking.ask([("select 1", []), ("select 2", []), ("select 1", [])])
    prepared = driver.execute("select statement from pg_prepared_statements order by 1").fetchall()
    assert prepared == [("select 1",), ("select 2",)]


def test_a_connection_broken_off_in_the_middle_is_given_up(
    driver: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(driver)
    monkeypatch.setattr(asking, "_answers", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        asking.ask([("select 1", [])])
    assert driver.closed


def test_what_is_asked_ahead_is_carried_out_and_its_answers_are_nobody_elses(
    driver: psycopg.Connection[Any],
) -> None:
    asking = Asking(driver)
    asking.ask_ahead([("begin", []), ("create table line (words text)", []), ("select 1", [])])
    assert asking.is_ahead
    asking.ask_ahead([("insert into line values ($1::text)", [b"a"]), ("select 2", [])])
    assert asking.ask([("select 3", []), ("commit", [])]) == [[(b"3",)], []]
    assert not asking.is_ahead
    assert asking.ask([("select * from line", [])]) == [[(b"a",)]]


def test_what_failed_ahead_is_told_when_something_is_asked(
    driver: psycopg.Connection[Any],
) -> None:
    asking = Asking(driver)
    asking.ask_ahead([("begin", []), ("select from nowhere", [])])
    with pytest.raises(psycopg.errors.UndefinedTable):
        asking.ask([("select 1", [])])
    assert not asking.is_ahead
    driver.rollback()
    assert asking.ask([("select 1", [])]) == [[(b"1",)]]
