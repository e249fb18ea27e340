"""How much is read from a socket at a time is set in a place of pika's own, which may move."""

from pika.adapters.utils.io_services_utils import _AsyncTransportBase

from shared.bus.rabbit import GULP


def test_pika_reads_by_the_size_that_we_enlarge() -> None:
    assert 0 < _AsyncTransportBase._MAX_RECV_BYTES < GULP
