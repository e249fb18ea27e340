"""An installation whose books are read: its databases, or the addresses of its services."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

import httpx
import sqlalchemy as sa

from services.embedded.catalogue import NAMES, load
from services.embedded.house import open_storage
from services.ledger import queries
from services.ledger.assessing import Assessment, read_assessment
from services.ledger.erasing import erasures
from services.ledger.figures import Report
from services.ledger.journal import verify
from services.ledger.reading import read_report
from shared.domain.errors import ConfigurationError, Unavailable
from shared.observe.metrics import Metrics
from shared.policy import CompiledPolicy, load_policy
from shared.policy.load import read_bytes
from shared.runtime.audit import LEDGER, Findings, Journal, Waiting, compare
from shared.runtime.books import lines
from shared.runtime.main import policies
from shared.runtime.resolved import Resolutions
from shared.runtime.versions import in_force
from shared.settings import Settings
from shared.storage.storage import Storage

R = TypeVar("R")

PATIENCE = 60.0
"""Seconds that an answer, or the next piece of one, may take."""


class Installation(Protocol):
    """Where the books of all services can be read."""

    def look(self) -> Findings:
        """Compare all books, as they are now."""

    def waiting(self) -> Mapping[str, Waiting]:
        """What each service has still to send, and what it parked."""

    def journal(self) -> Journal:
        """Walk along the journal's chain."""

    def resolved(self) -> Resolutions:
        """What was decided about messages that lay aside."""

    def report(self, start: date | None, end: date | None) -> Report:
        """The report on the cases recorded from day to day, both included."""

    def assessment(self, year: int) -> Assessment:
        """The scores of a year, by level and unit."""


@contextmanager
def installation(urls: Sequence[str], settings: Settings) -> Iterator[Installation]:
    """The running installation at the addresses; without any, that of the settings."""
    if urls:
        with httpx.Client(timeout=PATIENCE, follow_redirects=True) as client:
            yield Addresses(urls, client)
    else:
        yield Databases(settings)


class Databases:
    """The installation of the settings, read from its own databases; nothing is written."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self) -> Findings:
        """See `Installation`."""
        with ExitStack() as stack:
            books = {name: self._read(name, lines_of(name), stack) for name in NAMES}
            seen = self._read(LEDGER, queries.versions, stack)
            held = self._read(LEDGER, queries.contents, stack)
            return compare(books, seen, held)

    def waiting(self) -> Mapping[str, Waiting]:
        """See `Installation`."""
        found = {}
        for name in NAMES:
            with self._opened(name) as storage:
                counts = storage.counts()
            found[name] = Waiting(counts.outbox, counts.parked)
        return found

    def journal(self) -> Journal:
        """See `Installation`."""
        with self._opened(LEDGER) as storage, storage.read() as connection:
            found = verify(
                queries.journal(connection), queries.chain(connection), erasures(connection)
            )
        return Journal(found.entries, found.head, found.breaks, found.found)

    def resolved(self) -> Resolutions:
        """See `Installation`."""
        with self.reading(LEDGER) as connection:
            return Resolutions.of(queries.resolved(connection))

    def report(self, start: date | None, end: date | None) -> Report:
        """See `Installation`."""
        policy = self.policy()
        with self.reading(LEDGER) as connection:
            return read_report(connection, policy, datetime.now(UTC), start, end)

    def assessment(self, year: int) -> Assessment:
        """See `Installation`."""
        policy = self.policy()
        with self.reading(LEDGER) as connection:
            return read_assessment(connection, policy, datetime.now(UTC), year)

    @contextmanager
    def reading(self, name: str) -> Iterator[sa.Connection]:
        """A connection to one service's own tables."""
        with self._opened(name) as storage, storage.read() as connection:
            yield connection

    @contextmanager
    def ledger(self) -> Iterator[tuple[sa.Connection, bytes]]:
        """The ledger's tables, and the content of the policy in force."""
        with self._opened(LEDGER) as storage, storage.read() as connection:
            stored = next(in_force(connection, datetime.now(UTC)), None)
            if stored is None:  # the books of a release that kept no versions
                path = policies(self._settings, Metrics(), storage).path
                yield connection, read_bytes(path)
            else:
                yield connection, stored.content.encode()

    def policy(self) -> CompiledPolicy:
        """The one that is named; left out, the one in force."""
        if self._settings.policy is not None:
            return load_policy(self._settings.policy)
        with self._opened(LEDGER) as storage:
            return policies(self._settings, Metrics(), storage).current

    def _read(self, name: str, read: Callable[[sa.Connection], R], stack: ExitStack) -> R:
        storage = stack.enter_context(self._opened(name))
        return read(stack.enter_context(storage.read()))

    @contextmanager
    def _opened(self, name: str) -> Iterator[Storage]:
        settings = self._settings
        if settings.database() is None and not (settings.data / f"{name}.sqlite").exists():
            raise nothing_in(f"the folder {settings.data}")
        storage = open_storage(settings, name)
        try:
            with storage.read() as connection:
                if not sa.inspect(connection).has_table(load(name).books.table.name):
                    raise nothing_in(storage.backend.place)
            yield storage
        finally:
            storage.close()


def lines_of(name: str) -> Callable[[sa.Connection], Iterator[Any]]:
    """How the books of a service are read."""
    return lambda connection: lines(connection, load(name).books)


def nothing_in(place: str) -> ConfigurationError:
    """The error for a place where nobody has begun a house."""
    return ConfigurationError(
        f"There are no books in {place}. Name the data folder with --data, the database with"
        " DATABASE_URL, or a running installation with --url; `concentric up` starts a new one."
    )


class Addresses:
    """A running installation, read over HTTP."""

    def __init__(self, urls: Sequence[str], client: httpx.Client) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._client = client

    def look(self) -> Findings:
        """See `Installation`."""
        homes = self._homes()
        books = {name: self._lines(f"{homes[name]}/books/{name}") for name in NAMES}
        ledger = f"{homes[LEDGER]}/books/ledger"
        return compare(books, self._lines(f"{ledger}/versions"), self._lines(f"{ledger}/journal"))

    def waiting(self) -> Mapping[str, Waiting]:
        """See `Installation`."""
        found = {}
        for url in self._urls:
            for name, count in self._get(f"{url}/books").items():
                found[name] = Waiting(count["outbox"], count["parked"])
        return found

    def journal(self) -> Journal:
        """See `Installation`."""
        found = self._get(f"{self._homes()[LEDGER]}/journal/verify")
        return Journal(found["entries"], found["head"], found["breaks"], tuple(found["found"]))

    def resolved(self) -> Resolutions:
        """See `Installation`."""
        told = self._lines(f"{self._homes()[LEDGER]}/books/ledger/resolved")
        return Resolutions.of((service, kind, case_id) for service, kind, case_id in told)

    def report(self, start: date | None, end: date | None) -> Report:
        """See `Installation`."""
        days = {"from": start, "to": end}
        given = {name: day.isoformat() for name, day in days.items() if day is not None}
        # a proxy may know the ledger alone, so that it is not asked which services are there
        return Report.model_validate(self._get(f"{self._urls[0]}/report", given))

    def assessment(self, year: int) -> Assessment:
        """See `Installation`."""
        return Assessment.model_validate(self.ask("/assessment", {"year": f"{year}"}))

    def ask(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What the installation answers under a path, for which the first address is asked."""
        return self._get(f"{self._urls[0]}{path}", query)

    def _homes(self) -> Mapping[str, str]:
        """Which service is where; raises `ConfigurationError` where one is at none of the URLs."""
        homes: dict[str, str] = {}
        for url in self._urls:
            for name in self._get(f"{url}/books"):
                homes.setdefault(name, url)
        missing = [name for name in NAMES if name not in homes]
        if missing:
            raise ConfigurationError(
                f"At {', '.join(self._urls)} there is no {' and no '.join(missing)}: give --url"
                " once for each service that runs at an address of its own."
            )
        return homes

    def _get(self, url: str, query: Mapping[str, str] | None = None) -> Any:
        with reached(url):
            answer = self._client.get(url, params=query)
        return content_of(url, answer)

    def _lines(self, url: str) -> Iterator[Any]:
        with reached(url), self._client.stream("GET", url) as answer:
            if answer.is_error:
                answer.read()
                raise refused(url, answer)
            for line in answer.iter_lines():
                yield json.loads(line)


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Turn what a client meets on its way to an address into errors that say what to do."""
    try:
        yield
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{url} is no address: {error}") from error
    except httpx.UnsupportedProtocol as error:
        raise ConfigurationError(f"{url}: begin the address with http:// or https://") from error
    except httpx.TransportError as error:
        raise Unavailable(
            f"{url} cannot be read ({error}): see that Concentric runs there, and try again"
        ) from error


def home_of(client: httpx.Client, urls: Sequence[str], service: str, else_: str = "") -> str:
    """The address at which a service runs; `else_` says what can be named instead."""
    for url in urls:
        books = f"{url.rstrip('/')}/books"
        with reached(books):
            answer = client.get(books)
        if service in content_of(books, answer):
            return url.rstrip("/")
    raise ConfigurationError(
        f"At {', '.join(urls)} there is no {service}: give --url also for that{else_}."
    )


def content_of(url: str, answer: httpx.Response) -> Any:
    """The JSON of an answer; raises `ConfigurationError` where it is none."""
    if answer.is_error:
        raise refused(url, answer)
    try:
        return answer.json()
    except ValueError as error:
        raise ConfigurationError(f"{url} answers, but not as Concentric does") from error


def refused(url: str, answer: httpx.Response) -> ConfigurationError:
    """The error for an answer that is none."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.reason_phrase
    return ConfigurationError(f"{url} answered {answer.status_code}: {detail}")
