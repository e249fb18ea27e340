"""One service on real storage and a real bus inside the test, and an ear that hears everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from shared.bus.codec import Envelope, decode, encode
from shared.bus.local import LocalBus
from shared.bus.protocol import Delivery, Message, Subscription
from shared.domain.aggregates import Record
from shared.domain.case import Case, Kind
from shared.domain.commands import Command
from shared.domain.errors import Unreadable
from shared.domain.events import CaseRecorded, Event
from shared.domain.ids import case_id, new_id
from shared.observe.metrics import Metrics
from shared.runtime.following import Policies
from shared.runtime.host import Host
from shared.runtime.service import Service
from shared.settings import Settings
from shared.storage.storage import Storage

POLICIES = Path(__file__).parents[2] / "examples" / "policies"


@dataclass
class Machine:
    """A running service, its bus, and what was heard on the bus."""

    host: Host
    bus: LocalBus
    heard: list[Envelope]

    def send(self, *data: Event | Command, message_id: str | None = None) -> None:
        """Publish events or commands of one type as one message; returns when handled."""
        envelopes = [in_envelope(each) for each in data]
        self.send_raw(envelopes[0].type, encode(envelopes), message_id=message_id)

    def send_raw(self, key: str, body: bytes, *, message_id: str | None = None) -> None:
        """Publish bytes as they are."""
        self.bus.publish([Message(id=message_id or new_id(), key=key, body=body)])

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of one type that the service sent, once all is quiet."""
        until = monotonic() + 10
        while not self.host.idle and monotonic() < until:
            sleep(0.005)
        return [each.data for each in self.heard if isinstance(each.data, kind)]


@contextmanager
def machine(
    service: Service,
    storage: Storage,
    policy: Policies,
    folder: Path,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Machine]:
    """A running service on the given storage, drained at the end."""
    bus, heard = LocalBus(), list[Envelope]()

    def hear(delivery: Delivery) -> None:
        known = {each.id for each in heard}  # as every reader, it takes no event twice
        with suppress(Unreadable):  # the service under test says what it does about those
            read = [each for each in decode(delivery.message) if isinstance(each, Envelope)]
            heard.extend(each for each in read if each.id not in known)
        ear.ack([delivery])

    ear = bus.subscribe(Subscription("ear", ("#",)), hear)
    settings = Settings.read(environment or {}, data=folder, drain=5.0)
    service = replace(service, can_wait=frozenset())
    host = Host(service, storage, bus, policy, Metrics(), settings, clock=clock)
    host.listen()
    host.speak()
    try:
        yield Machine(host, bus, heard)
    finally:
        host.stop()
        bus.close()


def storage_of(service: Service, folder: Path, url: str | None = None) -> Storage:
    """The service's storage, as its process would open it."""
    return Storage.open(url, service.name, service.metadata, service.migrations, folder=folder)


def recorded(external_id: str, *, kind: Kind = Kind.PROBLEM, text: str = "") -> CaseRecorded:
    """A case as intake would record it, for the message board's policy."""
    now, identity = datetime.now(UTC), case_id("tests", external_id)
    case = Case(
        id=identity,
        source="tests",
        external_id=external_id,
        channel="message-board",
        kind=kind,
        category="construction",
        subject=f"case {external_id}",
        text=text,
        recorded_at=now,
        received_at=now,
    )
    return CaseRecorded(case_id=identity, record=Record(case_id=identity, version=1, case=case))


def types(events: Sequence[Event]) -> list[str]:
    """Their types."""
    return [event.type for event in events]


def in_envelope(data: Event | Command) -> Envelope:
    """An event or command as somebody outside sends it."""
    subject = data.case_id if isinstance(data, Event) else data.about
    return Envelope(
        id=new_id(),
        type=data.type,
        source="/tests",
        subject=subject,
        time=datetime.now(UTC),
        data=data,
    )
