"""Writing behind the end of the journal's chain."""

from __future__ import annotations

from services.ledger import logic
from services.ledger.journal import Chain, as_json, digest_of, seal
from services.ledger.store import CHAIN, JOURNAL
from shared.domain.errors import ConfigurationError
from shared.domain.events import Event
from shared.domain.model import micros
from shared.runtime.handling import Context
from shared.storage.tx import Tx

NAME = Chain().name


def append(event: Event, tx: Tx, ctx: Context, first_seq: int | None = None) -> None:
    """Write the event behind the end of the chain; `first_seq` is its dossier's, if it has one."""
    cause = ctx.cause
    assert cause is not None, "an event is heard in an envelope"
    append_entry(
        tx,
        cause.id,
        event.type,
        event.case_id,
        event.aggregate,
        event.version if event.aggregate else None,
        micros(cause.time),
        cause.correlationid,
        cause.policyversion,
        body=as_json(logic.redacted(event)),
        first_seq=first_seq,
    )


def append_entry(
    tx: Tx, *entered: str | int | None, body: bytes, first_seq: int | None = None
) -> None:
    """Write an entry: its fields from `event_id` to `policy_version`, and its body in UTF-8."""
    end = chain_end(tx)
    seq, previous = end.seq + 1, end.hash
    fields = (seq, *entered, digest_of(body))
    link = seal(previous, as_json(fields))
    tx.append(JOURNAL, *fields, body, previous, link, first_seq)
    tx.put(CHAIN, Chain(seq=seq, hash=link))


def chain_end(tx: Tx) -> Chain:
    """Where the journal ends so far, with what this transaction has entered."""
    end = tx.get(CHAIN, NAME)
    if end is None:
        raise ConfigurationError(
            "The row that notes where the journal ends is missing: restore the ledger's database."
        )
    return end
