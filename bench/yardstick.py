"""The yardstick: a bare chain of pika scripts, five hops, batches of 100, quorum queues.

No inbox, no outbox, no policy, no ledger: what a house without any guarantee could do on the same
machine in the same minute. Every hop consumes, writes down where its cases stand, publishes with a
confirm per batch, acknowledges. With no database it writes nothing down: such a chain handles no
cases, it only passes messages on.
"""

from __future__ import annotations

import json
import multiprocessing
import secrets
from itertools import pairwise
from time import perf_counter

import pika
import psycopg
from psycopg import sql

from bench.loop import BATCH, TEXT

HOPS = 5

Row = tuple[str, str, str]
"""A case's id, the queue to which it goes, and its JSON."""


def chain(amqp: str, cases: int, database: str | None = None) -> float:
    """Seconds for so many cases to pass five queues; each hop keeps its cases in `database`."""
    run = secrets.token_hex(4)
    if database:
        _Standing.prepare(database, run)
    queues = [f"bench.{run}.{hop}" for hop in range(HOPS + 1)]
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    channel = connection.channel()
    for queue in queues:
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    workers = [
        multiprocessing.get_context("spawn").Process(
            target=_hop, args=(amqp, *pair, cases, database, run)
        )
        for pair in pairwise(queues)
    ]
    for worker in workers:
        worker.start()
    _wait_for_consumers(channel, queues[:-1])
    began = perf_counter()
    channel.confirm_delivery()
    _submit(amqp, queues[0], cases)
    _drain(channel, queues[-1], cases)
    took = perf_counter() - began
    for worker in workers:
        worker.join(timeout=30)
    for queue in queues:
        channel.queue_delete(queue)
    connection.close()
    return took


def _wait_for_consumers(channel: pika.channel.Channel, queues: list[str]) -> None:
    for queue in queues:
        until = perf_counter() + 60
        while channel.queue_declare(queue, passive=True).method.consumer_count == 0:
            if perf_counter() > until:
                raise TimeoutError(f"nobody consumes from {queue}")
            channel.connection.sleep(0.05)


def _submit(amqp: str, queue: str, cases: int) -> None:
    publisher = _Batches(amqp, queue)
    for number in range(cases):
        publisher.add(json.dumps({"id": number, "subject": "路灯不亮", "text": TEXT}).encode())
    publisher.flush()
    publisher.close()


def _drain(channel: pika.channel.Channel, queue: str, cases: int) -> None:
    channel.basic_qos(prefetch_count=4 * BATCH)
    for seen, (method, _, _) in enumerate(channel.consume(queue, inactivity_timeout=60), 1):
        if method is None:
            raise TimeoutError(f"the chain stopped before case {seen} of {cases}")
        if seen % BATCH == 0 or seen == cases:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if seen == cases:
            break
    channel.cancel()


def _hop(amqp: str, source: str, target: str, cases: int, database: str | None, run: str) -> None:
    standing = _Standing(database, run) if database else None
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=4 * BATCH)
    publisher = _Batches(amqp, target)
    batch: list[Row] = []
    for seen, (method, _, body) in enumerate(channel.consume(source, inactivity_timeout=60), 1):
        if method is None:
            return
        case = {**json.loads(body), "hop": target}
        batch.append((str(case["id"]), target, json.dumps(case)))
        if seen % BATCH == 0 or seen == cases:
            if standing is not None:
                standing.keep(batch)
            for *_, text in batch:
                publisher.add(text.encode())
            publisher.flush()
            channel.basic_ack(method.delivery_tag, multiple=True)
            batch = []
        if seen == cases:
            break
    channel.cancel()
    connection.close()
    publisher.close()


class _Standing:
    """Where the cases stand: one table for the whole chain, a transaction for each batch."""

    def __init__(self, database: str, table: str) -> None:
        self._connection = psycopg.connect(_plain(database))
        self._upsert = sql.SQL(
            "insert into {} values (%s, %s, %s)"
            " on conflict (id) do update set hop = excluded.hop, body = excluded.body"
        ).format(sql.Identifier(table))

    @staticmethod
    def prepare(database: str, table: str) -> None:
        """Make the table."""
        columns = sql.SQL("create table {} (id text primary key, hop text, body text)")
        with psycopg.connect(_plain(database)) as connection:
            connection.execute(columns.format(sql.Identifier(table)))

    def keep(self, cases: list[Row]) -> None:
        """Write a batch and commit it."""
        with self._connection.cursor() as cursor:
            cursor.executemany(self._upsert, cases)
        self._connection.commit()


def _plain(database: str) -> str:
    return database.replace("+psycopg", "", 1)


class _Batches:
    """Publishes persistent messages and waits for the confirms of a batch at its end."""

    def __init__(self, amqp: str, queue: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp))
        # The blocking channel waits for each confirm by itself; the one beneath it does not.
        self._channel = self._connection.channel()
        self._queue = queue
        self._sent = 0
        self._open: set[int] = set()
        self._bare = self._channel._impl  # noqa: SLF001 - see above
        self._bare.confirm_delivery(self._settled)
        self._connection.process_data_events(time_limit=0)

    def _settled(self, frame: pika.frame.Method) -> None:
        number = frame.method.delivery_tag
        if frame.method.multiple:
            self._open = {each for each in self._open if each > number}
        else:
            self._open.discard(number)

    def add(self, body: bytes) -> None:
        """Publish one message; each full batch is waited for."""
        self._bare.basic_publish("", self._queue, body, pika.BasicProperties(delivery_mode=2))
        self._sent += 1
        self._open.add(self._sent)
        if self._sent % BATCH == 0:
            self.flush()

    def flush(self) -> None:
        """Wait until everything is confirmed."""
        while self._open:
            self._connection.process_data_events(time_limit=0.01)

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()
