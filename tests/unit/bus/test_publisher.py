"""Every message is accounted for, whatever the broker answers and in whatever order."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from shared.bus.protocol import Message, Subscription
from shared.bus.publisher import WINDOW, WINDOW_BYTES, Publisher
from shared.domain.errors import Unavailable
from shared.domain.ids import new_id
from tests.unit.bus.fakes import FakeLine

Start = Callable[[list[Message]], "Future[None]"]


def messages(count: int, body: bytes = b"[]") -> list[Message]:
    return [Message(new_id(), "case.closed", body) for _ in range(count)]


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def publisher(line: FakeLine) -> Publisher:
    return Publisher(line, [Subscription("ledger", ("#",))], timeout=5)


@pytest.fixture
def start(publisher: Publisher, line: FakeLine) -> Iterator[Start]:
    """Publishes on another thread, and returns when that waits for its confirms."""
    with ThreadPoolExecutor() as pool:

        def begin(sent: list[Message]) -> "Future[None]":
            before = len(line.channel.published)
            future = pool.submit(publisher.publish, sent)
            deadline = monotonic() + 5
            while len(line.channel.published) == before and not future.done():
                assert monotonic() < deadline
                sleep(0.001)
            sleep(0.02)
            return future

        yield begin


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
    assert not done.done()
    line.channel.settled(2, False, True)

    assert done.result(5) is None


def test_one_confirm_may_stand_for_all_before_it_those_settled_already_included(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(5))

    line.channel.settled(4, False, True)
    line.channel.settled(3, True, True)
    assert not done.done()
    line.channel.settled(5, True, True)

    assert done.result(5) is None


def test_a_message_that_the_broker_does_not_take_is_an_error_once_all_are_settled(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(2))

    line.channel.settled(1, False, False)
    line.channel.settled(2, False, True)

    with pytest.raises(Unavailable, match=r"did not take a message for case\.closed"):
        done.result(5)


def test_a_returned_message_fails_its_own_batch_and_no_other(start: Start, line: FakeLine) -> None:
    lost, good = messages(2), messages(2)
    first, second = start(lost), start(good)

    line.channel.returned(lost[1].id)
    line.channel.settled(4, True, True)

    with pytest.raises(Unavailable, match=r"nobody is bound to case\.closed"):
        first.result(5)
    assert second.result(5) is None
    again = start(lost)
    line.channel.settled(6, True, True)
    assert again.result(5) is None, "the same messages go through once somebody is bound"


def test_a_channel_on_which_something_was_refused_is_given_up_once_nothing_is_under_way(
    start: Start, line: FakeLine
) -> None:
    start(messages(2))
    good = start(messages(1))

    line.channel.settled(1, False, False)
    line.channel.settled(3, False, True)
    assert good.result(5) is None
    assert line.renewed == []
    line.channel.settled(2, False, True)

    assert line.renewed == ["it did not take a message for case.closed: is its queue full?"]
    after = start(messages(1))
    line.channel.settled(1, False, True)
    assert after.result(5) is None


def test_no_more_than_a_window_is_under_way(start: Start, line: FakeLine) -> None:
    done = start(messages(WINDOW + 10))
    assert len(line.channel.published) == WINDOW

    line.channel.settled(4, True, True)
    assert len(line.channel.published) == WINDOW + 4
    line.channel.settled(WINDOW, True, True)
    line.channel.settled(WINDOW + 10, True, True)

    assert done.result(5) is None


def test_large_messages_are_held_back_by_their_bytes(start: Start, line: FakeLine) -> None:
    done = start(messages(5, b"x" * (WINDOW_BYTES // 2)))
    assert len(line.channel.published) == 2

    for number in range(1, 6):
        line.channel.settled(number, False, True)

    assert done.result(5) is None


def test_a_lost_connection_fails_what_was_under_way_and_the_next_one_starts_anew(
    start: Start, line: FakeLine
) -> None:
    done = start(messages(WINDOW + 1))

    line.lose("gone")

    with pytest.raises(Unavailable, match="gone"):
        done.result(5)
    with pytest.raises(Unavailable, match="gone"):
        start(messages(1)).result(5)
    line.open()
    again = start(messages(2))
    assert len(line.channel.published) == 2
    line.channel.settled(2, True, True)
    assert again.result(5) is None


def test_a_broker_that_takes_no_messages_is_told_to_the_caller_at_once(
    publisher: Publisher, line: FakeLine
) -> None:
    line.problem = "RabbitMQ takes no messages: low on memory"

    with pytest.raises(Unavailable, match="low on memory"):
        publisher.publish(messages(1))
    assert line.channel.published == []


def test_confirms_that_do_not_come_are_waited_for_no_longer_than_the_timeout(
    line: FakeLine,
) -> None:
    publisher = Publisher(line, [], timeout=0.05)

    with pytest.raises(
        Unavailable, match=r"not confirmed within 0\.05 s; RabbitMQ is slow or stuck"
    ):
        publisher.publish(messages(WINDOW + 5))

    line.channel.settled(WINDOW, True, True)
    assert len(line.channel.published) == WINDOW, "what nobody waits for any more is not sent"
