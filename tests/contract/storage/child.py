"""A process that migrates, or writes and waits to be killed; `Place.child` starts it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from shared.storage.messaging import OutboxRow
from shared.storage.storage import Storage
from tests.contract.storage.workshop import DIARY, TOOLS, Place, Tool


def write(storage: Storage, *, commit: bool) -> None:
    """Write to every table; say so and wait, before the commit or after it."""
    with storage.transaction(datetime.now(UTC)) as tx:
        tx.claim(["claimed"])
        tx.put(TOOLS, Tool(id="saw"))
        tx.append(DIARY, 1, "line", None)
        tx.send([OutboxRow("sent", "key", b"body", "text/plain")])
        if not commit:
            tx.flush()
            wait()
    wait()


def wait() -> None:
    """Tell the parent that the moment has come."""
    print("ready", flush=True)
    time.sleep(60)


def main(what: str, folder: str, service: str, url: str | None = None) -> None:
    """`migrate`; tell what that has `imported`; write, and stay `uncommitted` or `committed`."""
    storage = Place(Path(folder), url, service).open()
    if what == "imported":
        storage.migrate()
        print(*({"alembic", "psycopg"} & set(sys.modules)))
    elif what == "migrate":
        print("ready", flush=True)
        sys.stdin.readline()
        storage.migrate()
        storage.close()
    else:
        write(storage, commit=what == "committed")


if __name__ == "__main__":
    main(*sys.argv[1:])
