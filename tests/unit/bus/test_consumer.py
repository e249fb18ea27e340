"""Acknowledgements: few words to the broker, and never one about a delivery that still runs."""

from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.consumer import RabbitConsumer, Unsettled
from shared.bus.line import Arrival
from shared.bus.protocol import Delivery, Message, Subscription
from tests.unit.bus.fakes import FakeLine


def arrival(tag: int, *, redelivered: bool = False) -> Arrival:
    return Arrival(tag, Message(f"m{tag}", "case.closed", b"[]"), redelivered)


class Setting:
    """A consumer on a line that the test holds."""

    def __init__(self) -> None:
        self.line = FakeLine()
        self.got: SimpleQueue[Delivery] = SimpleQueue()
        ledger = Subscription("ledger", ("#",))
        self.consumer = RabbitConsumer(self.line, ledger, self.got.put, prefetch=9)

    def deliver(self, *tags: int) -> list[Delivery]:
        """Have the broker deliver."""
        for tag in tags:
            self.line.channel.arrived(arrival(tag))
        return [self.got.get(timeout=5) for _ in tags]


@pytest.fixture
def setting() -> Iterator[Setting]:
    made = Setting()
    yield made
    made.consumer.stop()


def test_what_came_in_a_row_is_acknowledged_in_one_word(setting: Setting) -> None:
    got = setting.deliver(1, 2, 3, 4)

    setting.consumer.ack(got[:3])
    setting.consumer.ack(got[3:])

    assert setting.line.channel.told == [("ack", 3, True), ("ack", 4, True)]


def test_what_lies_behind_an_open_delivery_is_acknowledged_by_itself(setting: Setting) -> None:
    got = setting.deliver(1, 2, 3, 4)

    setting.consumer.ack([got[2], got[0], got[3]])
    setting.consumer.release([got[1]])

    assert setting.line.channel.told == [
        ("ack", 1, True),
        ("ack", 3, False),
        ("ack", 4, False),
        ("release", 2, True),
    ]


def test_acknowledging_twice_is_said_once(setting: Setting) -> None:
    got = setting.deliver(1)

    setting.consumer.ack(got * 2)
    setting.consumer.ack(got)

    assert setting.line.channel.told == [("ack", 1, True)]


def test_a_new_connection_knows_nothing_of_the_tags_of_the_old_one(setting: Setting) -> None:
    (old,) = setting.deliver(1)
    setting.line.lose("gone")
    setting.consumer.ack([old])
    setting.line.open()
    (new,) = setting.deliver(1)

    setting.consumer.ack([old])
    assert setting.line.channel.told == []
    setting.consumer.ack([new])

    assert new.tag > old.tag
    assert setting.line.channel.told == [("ack", 1, True)]


def test_it_feels_its_way_until_something_comes_for_the_first_time(setting: Setting) -> None:
    channel = setting.line.channel
    assert channel.prefetches == [1]
    channel.arrived(arrival(1, redelivered=True))
    assert channel.prefetches == [1]
    channel.arrived(arrival(2))
    channel.arrived(arrival(3))
    assert channel.prefetches == [1, 9]


def test_whoever_is_at_work_goes_on_listening_whatever_the_size_of_what_comes(
    setting: Setting,
) -> None:
    channel = setting.line.channel
    for tag, size in enumerate((2, 200_000, 2, 200_000, 2), 1):
        channel.arrived(Arrival(tag, Message("m", "case.closed", b"x" * size), redelivered=False))

    assert (channel.prefetches, channel.cancelled) == ([1, 9], 0)


def test_who_is_held_asks_for_nothing_until_it_is_held_no_longer(setting: Setting) -> None:
    channel = setting.line.channel
    setting.deliver(1)

    setting.consumer.hold(True)
    setting.consumer.hold(True)
    channel.arrived(arrival(2))
    assert (channel.prefetches, channel.cancelled) == ([1, 9], 1)
    setting.consumer.hold(False)

    assert channel.prefetches == [1, 9, 9]


def test_a_stopped_consumer_says_so_and_delivers_nothing_more(setting: Setting) -> None:
    assert setting.consumer.problem is None

    setting.consumer.stop()
    setting.line.channel.arrived(arrival(1))

    assert setting.consumer.problem == "stopped"
    assert setting.got.empty()


@given(
    count=st.integers(1, 12),
    rounds=st.lists(st.lists(st.integers(1, 14), max_size=6), max_size=8),
)
def test_the_broker_is_told_of_every_settled_delivery_once_and_of_no_other(
    count: int, rounds: list[list[int]]
) -> None:
    unsettled = Unsettled()
    for tag in range(1, count + 1):
        unsettled.add(tag)
    known: set[int] = set()
    for tags in rounds:
        up_to, single = unsettled.settle(tags)
        fresh = set(single) | ({*range(1, up_to + 1)} - known if up_to is not None else set())
        assert not known & set(single)
        known |= fresh
        assert known == {tag for each in rounds for tag in each if tag <= count} & known
        assert {tag for tag in tags if tag <= count} <= known
