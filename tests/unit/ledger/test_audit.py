"""The audit finds each kind of damage, says where, and keeps one case in memory at a time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from shared.domain.errors import ConfigurationError
from shared.runtime.audit import (
    ADVICE,
    KEPT,
    STILL,
    Audit,
    Difference,
    Findings,
    Held,
    Journal,
    Line,
    Seen,
    Waiting,
    compare,
    settled,
)

SERVICES = ("intake", "router", "deadline", "evaluation", "notify", "ledger")
OWNED = {"intake": 1, "router": 3, "deadline": 2, "evaluation": 2, "notify": 0, "ledger": 8}
AGGREGATES = ("record", "handling", "clocks", "judgement")


@dataclass
class Books:
    """Three cases in everybody's books: a open, b closed in its second round, c withdrawn."""

    lines: dict[str, dict[str, Line]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    held: dict[tuple[str, str], Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        standings = {"a": ("open", 1), "b": ("closed", 2), "c": ("withdrawn", 1)}
        for case, (state, round_) in standings.items():
            for service in SERVICES:
                line = (case, OWNED[service], state, round_)
                self.lines.setdefault(service, {})[case] = line
            self.seen[case] = (case, 1, 3, 2, 2)
            for aggregate, version in zip(AGGREGATES, self.seen[case][1:], strict=True):
                self.held[case, aggregate] = (case, aggregate, version, version)

    def compared(self) -> Findings:
        return compare(
            {service: lines.values() for service, lines in self.lines.items()},
            self.seen.values(),
            self.held.values(),
        )

    def differences(self) -> list[tuple[str, str, str]]:
        found = self.compared()
        assert found.number == len(found.found)
        return [(each.case_id, each.service, each.code) for each in found.found.values()]


def test_books_that_agree_have_no_differences() -> None:
    found = Books().compared()
    assert found.number == 0
    for count in found.counts.values():
        assert (count.recorded, count.open, count.closed, count.withdrawn) == (3, 1, 1, 1)


def test_empty_books_agree() -> None:
    assert compare(dict.fromkeys(SERVICES, ()), (), ()).number == 0


@pytest.mark.parametrize("service", ["router", "deadline", "evaluation"])
def test_a_case_that_a_service_does_not_know_is_found(service: str) -> None:
    books = Books()
    del books.lines[service]["b"]
    assert ("b", service, "missing") in books.differences()


def test_a_case_that_the_ledger_never_heard_of_is_found() -> None:
    books = Books()
    del books.lines["ledger"]["a"], books.seen["a"]
    for aggregate in AGGREGATES:
        del books.held["a", aggregate]
    found = books.differences()
    assert ("a", "ledger", "missing") in found
    assert found.count(("a", "ledger", "behind")) == 4


def test_a_case_that_the_journal_alone_remembers_is_found() -> None:
    books = Books()
    for service in SERVICES:
        del books.lines[service]["c"]
    del books.seen["c"]
    found = books.differences()
    assert {service for case, service, code in found if code == "missing"} == set(SERVICES)
    assert ("c", "ledger", "journal") in found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_missed_a_close_is_found(service: str) -> None:
    books = Books()
    books.lines[service]["b"] = ("b", OWNED[service], "open", 2)
    assert books.differences() == [("b", service, "standing")]


def test_a_service_that_missed_a_reopening_is_found() -> None:
    books = Books()
    books.lines["deadline"]["b"] = ("b", OWNED["deadline"], "closed", 1)
    assert books.differences() == [("b", "deadline", "standing")]


def test_a_service_that_missed_a_withdrawal_is_found() -> None:
    books = Books()
    books.lines["router"]["c"] = ("c", OWNED["router"], "closed", 1)
    assert books.differences() == [("c", "router", "standing")]


def test_a_state_that_is_none_of_ours_is_found_and_counts_as_neither() -> None:
    books = Books()
    books.lines["intake"]["a"] = ("a", 1, "lost", 1)
    assert books.differences() == [("a", "intake", "state")]
    count = books.compared().counts["intake"]
    assert count.recorded != count.open + count.closed + count.withdrawn


def test_a_ledger_that_missed_the_newest_event_is_found() -> None:
    books = Books()
    books.lines["router"]["a"] = ("a", 4, "open", 1)
    [found] = books.compared().found.values()
    assert (found.service, found.code, found.about) == ("ledger", "behind", "handling")
    assert found.message == "router has version 4 of the handling, the ledger 3"


def test_an_owner_that_lost_what_it_had_told_is_found() -> None:
    books = Books()
    books.lines["deadline"]["a"] = ("a", 1, "open", 1)
    assert books.differences() == [("a", "deadline", "ahead")]


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_an_entry_that_was_removed_from_the_journal_is_found(aggregate: str) -> None:
    books = Books()
    _, _, entries, newest = books.held["a", aggregate]
    books.held["a", aggregate] = ("a", aggregate, entries - 1, newest)
    assert books.differences() == [("a", "ledger", "journal")]


def test_an_entry_that_stands_in_the_journal_twice_is_found() -> None:
    books = Books()
    books.held["b", "handling"] = ("b", "handling", 4, 3)
    assert books.differences() == [("b", "ledger", "journal")]


def test_an_aggregate_without_any_entry_is_found() -> None:
    books = Books()
    del books.held["c", "record"]
    assert books.differences() == [("c", "ledger", "journal")]


def test_books_that_are_not_sorted_are_refused() -> None:
    lines = [("b", 1, "open", 1), ("a", 1, "open", 1)]
    with pytest.raises(ConfigurationError, match="not sorted"):
        compare({"intake": lines}, (), ())


def test_every_difference_has_its_advice() -> None:
    books = Books()
    del books.lines["intake"]["a"]
    books.lines["router"]["b"] = ("b", 9, "lost", 1)
    books.lines["deadline"]["c"] = ("c", 1, "open", 1)
    books.held["c", "judgement"] = ("c", "judgement", 1, 2)
    assert {code for _, _, code in books.differences()} == set(ADVICE)


def test_memory_stays_flat_however_many_cases_there_are() -> None:
    def lines(service: str, number: int) -> Iterator[Line]:
        return ((f"{n:07}", OWNED[service], "open", 1) for n in range(number))

    def seen(number: int) -> Iterator[Seen]:
        return ((f"{n:07}", 1, 3, 2, 2) for n in range(number))

    def held(number: int) -> Iterator[Held]:
        versions = dict(zip(AGGREGATES, (1, 3, 2, 2), strict=True))
        return ((f"{n:07}", a, v, v) for n in range(number) for a, v in versions.items())

    def peak(number: int) -> int:
        tracemalloc.start()
        found = compare({s: lines(s, number) for s in SERVICES}, seen(number), held(number))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.number == 0
        assert found.counts["ledger"].recorded == number
        return most

    # other threads of the tests allocate as well; 9,600 cases held would be megabytes
    assert peak(10_000) < peak(400) + 300_000


def test_of_many_differences_the_first_are_kept_and_all_are_counted() -> None:
    number = KEPT // 4
    lines = [(f"{n:06}", 1, "open", 1) for n in range(number)]
    found = compare({**dict.fromkeys(SERVICES, ()), "intake": lines}, (), ())
    # of each case: five services do not know it, and the ledger has not seen its record
    assert found.number == 6 * number
    assert len(found.found) == KEPT


# ── books in motion ───────────────────────────────────────────────────────────────────────────


class Time:
    """A clock that moves by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def findings(*cases: str) -> Findings:
    found = [Difference(case, "ledger", "behind", "handling", "") for case in cases]
    return Findings({}, len(found), {each.key: each for each in found})


def settle(looks: list[Findings], wait: float = 30.0, sent: float = 0.0) -> tuple[Findings, float]:
    """Looks one after the other, the last again and again; all is sent after so many seconds."""
    time, rest = Time(), iter(looks)

    def look() -> Findings:
        return next(rest, looks[-1])

    found = settled(
        look, wait=wait, clock=time.clock, sleep=time.sleep, sending=lambda: time.now < sent
    )
    return found, time.now


def test_books_that_agree_are_looked_at_once() -> None:
    found, seconds = settle([findings()])
    assert (found.number, seconds) == (0, 0.0)


def test_events_on_their_way_are_waited_for() -> None:
    found, seconds = settle([findings("a", "b"), findings("b"), findings()])
    assert (found.number, seconds) == (0, 1.0)


def test_in_a_busy_house_a_difference_that_the_next_look_does_not_find_is_none() -> None:
    found, _ = settle([findings("a", "b"), findings("c", "d")])
    assert found.number == 0


def test_what_somebody_has_still_to_send_is_waited_for_longer() -> None:
    looks = [findings("a")] * 60
    found, seconds = settle([*looks, findings()], sent=25.0)
    assert found.number == 1
    assert seconds == pytest.approx(25.0)
    found, seconds = settle([*looks, findings()], sent=35.0, wait=60.0)
    assert (found.number, seconds) == (0, 30.0)


def test_a_difference_that_every_look_finds_stays() -> None:
    found, seconds = settle([findings("a", "lost"), findings("lost", "c"), findings("lost")])
    assert [each.case_id for each in found.found.values()] == ["lost"]
    assert seconds == pytest.approx(STILL + 1.0)


def test_the_wait_has_an_end_even_while_something_moves() -> None:
    looks = [findings("lost", f"{n}") for n in range(1000)]
    found, seconds = settle(looks, wait=30.0)
    assert found.number == 1
    assert seconds == pytest.approx(30.0)


def test_without_a_wait_there_is_one_look() -> None:
    found, seconds = settle([findings("a"), findings()], wait=0)
    assert (found.number, seconds) == (1, 0.0)


# ── the verdict ───────────────────────────────────────────────────────────────────────────────

WHOLE = Journal(entries=1, head="00", breaks=0, found=())


def test_an_audit_passes_with_messages_that_are_still_to_be_sent() -> None:
    assert Audit(findings(), {"intake": Waiting(outbox=3, parked=0)}, WHOLE).passed


@pytest.mark.parametrize(
    "audit",
    [
        Audit(findings("a"), {"intake": Waiting(0, 0)}, WHOLE),
        Audit(findings(), {"intake": Waiting(0, 1)}, WHOLE),
        Audit(findings(), {"intake": Waiting(0, 0)}, Journal(1, "00", 1, ("broken",))),
    ],
    ids=["a difference", "a parked message", "a broken chain"],
)
def test_an_audit_does_not_pass_with(audit: Audit) -> None:
    assert not audit.passed
