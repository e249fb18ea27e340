"""What somebody discarded explains what is missing of its case, and nothing else."""

from __future__ import annotations

from shared.runtime.audit import Difference, Findings
from shared.runtime.resolved import Resolutions, split

TOLD = [
    ("router", "message.replayed", "a"),
    ("router", "message.discarded", "b"),
    ("ledger", "message.discarded", "b"),
    ("router", "message.discarded", ""),
]


def findings(*differences: tuple[str, str, str]) -> Findings:
    found = [Difference(case, service, code, "", "…") for case, service, code in differences]
    return Findings({}, len(found), {one.key: one for one in found})


def test_acts_are_counted_by_service() -> None:
    told = Resolutions.of(TOLD)
    assert (told.replayed, told.discarded) == ({"router": 1}, {"router": 2, "ledger": 1})
    assert told.cases == {"b": {"router", "ledger"}}


def test_only_the_case_of_a_discarded_message_is_explained() -> None:
    found = findings(("a", "router", "missing"), ("b", "router", "standing"))
    rest, explained = split(found, Resolutions.of(TOLD))
    assert [one.case_id for one in rest.found.values()] == ["a"]
    assert [one.case_id for one in explained.found.values()] == ["b"]
    assert (rest.number, explained.number) == (1, 1)


def test_what_a_missing_message_cannot_do_is_never_explained_by_one() -> None:
    found = findings(("b", "router", "state"), ("b", "intake", "ahead"))
    rest, explained = split(found, Resolutions.of(TOLD))
    assert (rest.number, explained.number) == (2, 0)
