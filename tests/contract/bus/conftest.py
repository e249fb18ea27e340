"""Both buses, behind one fixture."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from shared.bus.local import LocalBus
from shared.bus.protocol import Bus
from shared.bus.rabbit import RabbitBus
from tests.contract.bus.readers import INTAKE, LEDGER, ROUTER


@pytest.fixture(params=["local", "rabbit"])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """A bus that nobody reads from yet."""
    made: Bus
    if request.param == "local":
        made = LocalBus()
    else:
        made = RabbitBus(request.getfixturevalue("vhost"), [INTAKE, ROUTER, LEDGER], timeout=10)
    yield made
    made.close()


@pytest.fixture
def rabbit(vhost: str) -> Iterator[Callable[..., RabbitBus]]:
    """Makes buses on one virtual host, and closes them."""
    with ExitStack() as stack:

        def make(url: str = vhost, **settings: object) -> RabbitBus:
            made = RabbitBus(url, **{"timeout": 10, **settings})  # type: ignore[arg-type]
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def stranger(vhost: str) -> Iterator[BlockingChannel]:
    """A client that is none of ours."""
    connection = pika.BlockingConnection(pika.URLParameters(vhost))
    yield connection.channel()
    connection.close()
