"""Every message is accounted for, whatever the broker answers and in whatever order."""

from collections.abc import Callable, Sequence

import pytest

from shared.bus.protocol import Message, Subscription
from shared.bus.publisher import WINDOW, WINDOW_BYTES, Publisher
from shared.domain.ids import new_id
from tests.unit.bus.fakes import FakeLine


class Sent:
    """What became of messages, as whoever sent them is told."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    @property
    def safe(self) -> bool:
        return self.told == [None]

    @property
    def failure(self) -> str:
        [reason] = self.told
        assert reason is not None
        return reason


Start = Callable[[Sequence[Message]], Sent]


def messages(count: int, body: bytes = b"[]") -> list[Message]:
    return [Message(new_id(), "case.closed", body) for _ in range(count)]


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def publisher(line: FakeLine) -> Publisher:
    return Publisher(line, [Subscription("ledger", ("#",))], timeout=5)


@pytest.fixture
def start(publisher: Publisher) -> Start:
    def begin(messages: Sequence[Message]) -> Sent:
        sent = Sent()
        publisher.send(messages, sent.told.append)
        return sent

    return begin


def test_the_queues_of_all_listeners_are_declared_first(
    publisher: Publisher, line: FakeLine
) -> None:
    assert [each.service for each in line.channel.declared] == ["ledger"]
    assert publisher.problem is None


def test_it_returns_when_the_last_message_is_confirmed_and_not_before(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(3))

    line.channel.settled(3, False, True)
    line.channel.settled(1, False, True)
    assert done.told == []
    line.channel.settled(2, False, True)

    assert done.safe


def test_one_confirm_may_stand_for_all_before_it_those_settled_already_included(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(5))

    line.channel.settled(4, False, True)
    line.channel.settled(3, True, True)
    assert done.told == []
    line.channel.settled(5, True, True)

    assert done.safe


def test_a_message_that_the_broker_does_not_take_is_an_error_once_all_are_settled(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(2))

    line.channel.settled(1, False, False)
    line.channel.settled(2, False, True)

    assert "did not take a message for case.closed" in done.failure


def test_a_returned_message_fails_its_own_batch_and_no_other(start: Start, line: FakeLine) -> None:
    lost, good = messages(2), messages(2)
    first, second = start(lost), start(good)

    line.channel.returned(lost[1].id)
    line.channel.settled(4, True, True)

    assert "nobody is bound to case.closed" in first.failure
    assert second.safe
    again = start(lost)
    line.channel.settled(6, True, True)
    assert again.safe, "the same messages go through once somebody is bound"


def test_a_channel_on_which_something_was_refused_is_given_up_once_nothing_is_under_way(
    start: Start, line: FakeLine
) -> None:
    start(messages(2))
    good = start(messages(1))

    line.channel.settled(1, False, False)
    line.channel.settled(3, False, True)
    assert good.safe
    assert line.renewed == []
    line.channel.settled(2, False, True)

    assert line.renewed == ["it did not take a message for case.closed: is its queue full?"]
    after = start(messages(1))
    line.channel.settled(1, False, True)
    assert after.safe


def test_no_more_than_a_window_is_under_way(start: Start, line: FakeLine) -> None:
    done = start(messages(WINDOW + 10))
    assert len(line.channel.published) == WINDOW

    line.channel.settled(4, True, True)
    assert len(line.channel.published) == WINDOW + 4
    line.channel.settled(WINDOW, True, True)
    line.channel.settled(WINDOW + 10, True, True)

    assert done.safe


def test_large_messages_are_held_back_by_their_bytes(start: Start, line: FakeLine) -> None:
    done = start(messages(5, b"x" * (WINDOW_BYTES // 2)))
    assert len(line.channel.published) == 2

    for number in range(1, 6):
        line.channel.settled(number, False, True)

    assert done.safe


def test_a_lost_connection_fails_what_was_under_way_and_the_next_one_starts_anew(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(WINDOW + 1))

    line.lose("gone")

    assert done.failure == "gone"
    assert start(messages(1)).failure == "gone"
    line.open()
    again = start(messages(2))
    assert len(line.channel.published) == 2
    line.channel.settled(2, True, True)
    assert again.safe


def test_a_broker_that_takes_no_messages_is_told_to_the_caller_at_once(
    start: Start, line: FakeLine
) -> None:
    line.problem = "RabbitMQ takes no messages: low on memory"

    assert "low on memory" in start(messages(1)).failure
    assert line.channel.published == []


def test_what_is_sent_before_the_first_connection_stands_waits_for_it(
    start: Start, line: FakeLine
) -> None:
    line.lose("connecting")
    line.tried = False
    done = start(messages(2))
    assert done.told == []

    line.open()
    assert len(line.channel.published) == 2
    line.channel.settled(2, True, True)

    assert done.safe


def test_whoever_sent_is_told_once_also_when_the_connection_goes_afterwards(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(1))
    line.channel.settled(1, False, True)

    line.lose("gone")

    assert done.safe


def test_a_connection_whose_confirms_do_not_come_is_given_up(start: Start, line: FakeLine) -> None:
    done = start(messages(WINDOW + 5))
    line.pass_time()
    line.channel.settled(1, False, True)
    line.pass_time()
    assert line.renewed == [], "something was confirmed meanwhile"

    line.pass_time()

    assert line.renewed == ["not confirmed within 5 s; it is slow or stuck"]
    assert done.failure == line.renewed[0]
    line.pass_time()
    assert len(line.renewed) == 1
