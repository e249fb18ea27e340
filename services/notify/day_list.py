"""The list that a unit gets on the morning of a working day, as a pure function of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from services.notify.notices import DIGEST, DayList, Listed, Notice, Watch
from shared.domain.calendar import WorkingCalendar
from shared.domain.ids import digest
from shared.domain.notices import Way
from shared.domain.policy import Policy

LISTED = 50
"""Cases that a list names; the others are counted."""


def day_due(policy: Policy, now: datetime) -> date | None:
    """The working day whose lists are to go out now; None where it is none, too early, or quiet."""
    calendar, messages = policy.calendar, policy.messages
    wall = now.astimezone(calendar.zone)
    early = messages.digest_at is None or wall.timetz().replace(tzinfo=None) < messages.digest_at
    if early or not calendar.is_working_day(wall.date()):
        return None
    return wall.date() if messages.opens(now, "", calendar) == now else None


def notices(watches: Iterable[Watch], policy: Policy, now: datetime) -> Iterator[Notice]:
    """A message to each address of each unit that has something to answer this week.

    The watches that wait for an answer, in the order of their due dates.
    """
    by_unit: dict[str, list[Watch]] = {}
    for watch in watches:
        if watch.handling is not None and watch.due_at is not None:
            by_unit.setdefault(watch.handling.unit, []).append(watch)
    for unit in sorted(by_unit):
        addresses = policy.mailboxes(unit)
        if addresses:
            found = day_list(by_unit[unit], policy, now)
            yield from (_notice(unit, address, found, now) for address in addresses)


def day_list(watches: Sequence[Watch], policy: Policy, now: datetime) -> DayList:
    """What is overdue, due today, and due later in the week, the longest waiting first."""
    calendar = policy.calendar
    today = calendar.local_day(now)
    headings: dict[str, list[Listed]] = {"overdue": [], "today": [], "week": []}
    for watch in watches[:LISTED]:
        heading = _heading(watch, calendar, today, now)
        headings[heading].append(_listed(watch, shown=policy.messages.shows_subject))
    return DayList(
        day=today.isoformat(),
        today=tuple(headings["today"]),
        week=tuple(headings["week"]),
        overdue=tuple(headings["overdue"]),
        more=max(0, len(watches) - LISTED),
    )


def _heading(watch: Watch, calendar: WorkingCalendar, today: date, now: datetime) -> str:
    assert watch.due_at is not None
    if watch.due_at < now:
        return "overdue"
    return "today" if calendar.local_day(watch.due_at) == today else "week"


def _listed(watch: Watch, *, shown: bool) -> Listed:
    handling, due = watch.handling, watch.due_at
    assert handling is not None
    assert due is not None
    return Listed(
        case_id=watch.case_id,
        colour=handling.colour,
        due_at=due,
        subject=handling.subject if shown else None,
    )


def _notice(unit: str, address: str, found: DayList, now: datetime) -> Notice:
    return Notice(
        id=digest(f"{DIGEST}\n{found.day}\n{unit}\n{address}"),
        case_id="",
        event=DIGEST,
        way=Way.MAIL,
        to=address,
        role="unit",
        unit=unit,
        row=DIGEST,
        day_list=found,
        happened_at=now,
        planned_at=now,
        next_at=now,
    )
