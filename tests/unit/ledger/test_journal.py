"""The journal's chain: whoever touches an entry is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.journal import GENESIS, Chain, Entry, as_json, digest_of, seal, verify

Entries = list[Entry]


def write(bodies: Sequence[str]) -> tuple[Entries, Chain]:
    entries: Entries = []
    previous = GENESIS
    for number, body in enumerate(bodies, 1):
        fields = (number, f"id-{number}", "case.recorded", "c", "record", number, number, None, "p")
        digest = digest_of(body.encode())
        link = seal(previous, as_json((*fields, digest)))
        entries.append(Entry(*fields, digest=digest, body=body, previous=previous, hash=link))
        previous = link
    return entries, Chain(seq=len(bodies), hash=previous)


BODIES = ['{"text":"停电"}', '{"text":"b"}', '{"text":"c"}', '{"text":"d"}']


def test_an_untouched_journal_is_intact() -> None:
    entries, chain = write(BODIES)
    found = verify(entries, chain)
    assert found.intact
    assert (found.entries, found.head) == (4, chain.hash.hex())


def test_an_empty_journal_is_intact() -> None:
    assert verify([], Chain()).intact


def change_body(entries: Entries) -> Entries:
    return [replace(e, body='{"text":"x"}') if e.seq == 2 else e for e in entries]


def change_body_and_digest(entries: Entries) -> Entries:
    changed = digest_of(b"{}")
    return [replace(e, body="{}", digest=changed) if e.seq == 2 else e for e in entries]


def change_moment(entries: Entries) -> Entries:
    return [replace(e, at=e.at + 1) if e.seq == 4 else e for e in entries]


def forge_with_a_fitting_hash(entries: Entries) -> Entries:
    forged = replace(entries[1], body="{}", digest=digest_of(b"{}"))
    forged = replace(forged, hash=seal(forged.previous, forged.canonical))
    return [entries[0], forged, *entries[2:]]


def remove(entries: Entries) -> Entries:
    return [e for e in entries if e.seq != 3]


def remove_and_number_anew(entries: Entries) -> Entries:
    return [replace(e, seq=n) for n, e in enumerate(remove(entries), 1)]


def cut_off(entries: Entries) -> Entries:
    return entries[:3]


def remove_the_first(entries: Entries) -> Entries:
    return entries[1:]


def exchange(entries: Entries) -> Entries:
    return [entries[0], entries[2], entries[1], entries[3]]


def insert(entries: Entries) -> Entries:
    return [*entries[:2], entries[1], *entries[2:]]


@pytest.mark.parametrize(
    ("tamper", "seen"),
    [
        (change_body, "entry 2, case.recorded of c, was changed"),
        (change_body_and_digest, "entry 2, case.recorded of c, was changed"),
        (change_moment, "entry 4, case.recorded of c, was changed"),
        (forge_with_a_fitting_hash, "entry 3 does not continue entry 2"),
        (remove, "entry 4 follows entry 2"),
        (remove_and_number_anew, "entry 3 does not continue entry 2"),
        (cut_off, "entries were cut off"),
        (remove_the_first, "entry 2 follows entry 0"),
        (exchange, "entry 3 follows entry 1"),
        (insert, "entry 2 follows entry 2"),
    ],
)
def test_whoever_tampers_is_noticed(tamper: Callable[[Entries], Entries], seen: str) -> None:
    entries, chain = write(BODIES)
    found = verify(tamper(entries), chain)
    assert not found.intact
    assert any(seen in broken for broken in found.found), found.found


def test_what_is_changed_in_one_place_is_told_once() -> None:
    entries, chain = write(BODIES)
    assert verify(change_body(entries), chain).breaks == 1


def test_of_many_breaks_the_first_are_listed_and_all_are_counted() -> None:
    entries, chain = write(["{}"] * 100)
    found = verify([replace(e, body="[]") for e in entries], chain)
    assert found.breaks == 100
    assert len(found.found) == 20


@given(
    st.lists(
        st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
        max_size=12,
    )
)
def test_what_is_hashed_is_what_any_encoder_of_json_by_rfc_8785_writes(
    fields: list[str | int | None],
) -> None:
    # Python's own encoder follows the RFC for texts and whole numbers
    plain = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    assert as_json(fields) == plain


def test_the_digest_of_a_body_is_its_sha_256() -> None:
    assert digest_of("停电".encode()) == hashlib.sha256("停电".encode()).hexdigest()


def test_the_hash_is_that_of_the_previous_hash_and_the_content() -> None:
    expected = hashlib.sha256(b"\x00" * 32 + b'[1,"a"]').digest()
    assert seal(GENESIS, as_json([1, "a"])) == expected
