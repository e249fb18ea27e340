"""An overdue case climbs at the pace and along the chain that the policy's table gives it."""

from __future__ import annotations

from dataclasses import dataclass

from services.deadline import logic
from shared.domain.aggregates import Clocks, Escalation, Handling
from tests.support.house import ZONE, SmallPolicy, routed


@dataclass(frozen=True)
class Impatient(SmallPolicy):
    """Red cases go to the leaders after one day, all others as ever."""

    def escalation(self, handling: Handling) -> Escalation:
        """By colour."""
        if handling.colour == "red":
            return Escalation(first=1, days=1, units=("leaders",))
        return super().escalation(handling)


def steps(handling: Handling) -> list[tuple[str, str | None]]:
    """The day and the unit of each step."""
    clocks = logic.follow(Clocks(case_id=handling.case_id), handling, Impatient())
    return [
        (f"{mark.at.astimezone(ZONE):%m-%d}", mark.to_unit)
        for mark in clocks.marks
        if mark.kind == "escalate"
    ]


def test_pace_and_chain_are_those_of_the_case() -> None:
    assert steps(routed()) == [("03-11", "leaders")]
    assert steps(routed(colour="yellow")) == [("03-12", "north"), ("03-14", "leaders")]
