"""The journal's chain: every entry carries the hash of all that stands before it.

What is hashed, so that an outsider can verify it (docs/reports.md has a program of a dozen lines):

    hash = SHA-256( previous hash, 32 bytes  +  canonical bytes of the entry )

The canonical bytes are the JSON array `[seq, event_id, type, case_id, aggregate, version, at,
correlation, policy_version, digest]` by RFC 8785: UTF-8, no spaces, numbers as they are, an absent
value as null. `digest` is the SHA-256, in hex digits, of the body in UTF-8: the event's JSON as it
is stored. So the chain seals every body, and can be followed by whoever may not see what was said.
Before the first entry stand 32 zero bytes. Whoever changes, removes, inserts or moves an entry has
to rewrite all that follow it, and the last hash with them: who has noted that one elsewhere
notices.

Once a case was erased, the bodies of its entries no longer have the digests that were sealed: what
is left of them is sealed by a further entry (services/ledger/erasing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from services.ledger.erasure import left_of
from shared.domain.model import EPOCH, Value

GENESIS = bytes(32)
"""What stands before the first entry."""

MOST = 20
"""Breaks that a verification lists; the others are counted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in the journal; the order of the fields is that of the table's columns."""

    seq: int
    """From 1, without a gap."""
    event_id: str
    type: str
    case_id: str
    """Empty for events about none."""
    aggregate: str | None
    version: int | None
    at: int
    """When it happened, in microseconds since 1970-01-01 UTC."""
    correlation: str | None
    policy_version: str | None
    digest: str
    """Of the body."""
    body: str
    previous: bytes
    hash: bytes

    @property
    def canonical(self) -> bytes:
        """What is hashed of the entry, besides the previous hash."""
        return as_json(
            (
                self.seq,
                self.event_id,
                self.type,
                self.case_id,
                self.aggregate,
                self.version,
                self.at,
                self.correlation,
                self.policy_version,
                self.digest,
            )
        )


class Chain(Value):
    """The chain's end: one row, read and locked by whoever appends."""

    name: str = "journal"
    seq: int = 0
    hash: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found."""

    entries: int
    head: str
    """The last entry's hash, in hex digits."""
    breaks: int
    found: tuple[str, ...]
    """The first breaks, in words."""

    @property
    def intact(self) -> bool:
        """Whether nothing was changed, removed, inserted or moved."""
        return not self.breaks


as_json = msgspec.json.Encoder().encode
"""A body, or the canonical bytes of fields: for these types the encoder follows RFC 8785."""


def digest_of(body: bytes) -> str:
    """What the chain seals of a body: its SHA-256, in hex digits."""
    return sha256(body).hexdigest()


def seal(previous: bytes, content: bytes) -> bytes:
    """The hash of an entry with this content after the entry with the previous hash."""
    return sha256(previous + content).digest()


def nothing_erased(_: str) -> Mapping[int, str]:
    """Of no case."""
    return {}


def verify(
    entries: Iterable[Entry],
    chain: Chain,
    erasures: Callable[[str], Mapping[int, str]] = nothing_erased,
) -> Verification:
    """Walk along the whole chain, in the order of `seq`; `chain` is its end as it was noted.

    `erasures` tells what the journal says is left of a case's entries, as digests of their bodies
    by number: such an entry has that body, in which nothing personal is left, or a break is told.

    The walk goes on after a break with the hash that stands there, so that each break is told once.
    """
    count, number, head, found = 0, 0, GENESIS, []
    for entry in entries:
        for broken in _breaks(entry, number, head, erasures):
            count += 1
            if count <= MOST:
                found.append(broken)
        number, head = entry.seq, entry.hash
    if (chain.seq, chain.hash) != (number, head):
        count += 1
        found.append(
            f"the journal ends with entry {number} ({head.hex()}), but entry {chain.seq}"
            f" ({chain.hash.hex()}) was noted as its end: entries were cut off or added"
        )
    return Verification(entries=number, head=head.hex(), breaks=count, found=tuple(found))


def _breaks(
    entry: Entry, before: int, head: bytes, erasures: Callable[[str], Mapping[int, str]]
) -> Iterator[str]:
    if entry.seq != before + 1:
        yield f"entry {entry.seq} follows entry {before}: what stood between is missing"
    elif entry.previous != head:
        yield f"entry {entry.seq} does not continue entry {before}: one of them was exchanged"
    sealed = seal(entry.previous, entry.canonical) == entry.hash
    if not sealed or not _is_what_was_written(entry, erasures):
        yield f"entry {entry.seq}, {entry.type} of {entry.case_id}, was changed afterwards"


def _is_what_was_written(entry: Entry, erasures: Callable[[str], Mapping[int, str]]) -> bool:
    """Whether the body is the one that was sealed, or what an erasure has left of it."""
    digest = digest_of(entry.body.encode())
    if digest == entry.digest:
        return True
    if erasures(entry.case_id).get(entry.seq) != digest:
        return False
    return left_of(entry.type, entry.body, EPOCH) == entry.body
