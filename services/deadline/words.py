"""A due date's reckoning as a table of text, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

from services.deadline.explain import Day, DayKind, Explanation

Language = Literal["zh", "en"]

WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}

KINDS: dict[str, dict[DayKind, str]] = {
    "zh": {
        DayKind.RECEIVED: "受理当日，不计",
        DayKind.COUNTED: "工作日",
        DayKind.MAKE_UP: "调休上班",
        DayKind.WEEKEND: "周末",
        DayKind.HOLIDAY: "节假日",
        DayKind.PAUSED: "暂停，不计",
    },
    "en": {
        DayKind.RECEIVED: "day of receipt, not counted",
        DayKind.COUNTED: "working day",
        DayKind.MAKE_UP: "make-up working day",
        DayKind.WEEKEND: "weekend",
        DayKind.HOLIDAY: "holiday",
        DayKind.PAUSED: "paused, not counted",
    },
}

HEADS = {
    "zh": ("日期", "星期", "计数", "说明"),
    "en": ("day", "", "count", "what"),
}

PHRASES: dict[str, dict[str, str]] = {
    "zh": {
        "from": "起算", "due": "到期", "original": "原到期", "accept": "签收期限",
        "answered": "办复", "extended": "延期", "provisional": "其后年度放假安排未公布，暂定",
        "days": "{} 个工作日", "hours": "{} 个工作小时", "rating": "评价链接有效期",
        "sum": "共 {} 天", "more": "延长 {} 个工作日",
        "paused": "暂停 {} 个工作日不计",
        "awaited": "待办复", "overdue": "已逾期", "in-time": "按时办复", "late": "逾期办复",
        "ended": "已办结",
    },
    "en": {
        "from": "from", "due": "due", "original": "originally", "accept": "to be accepted by",
        "answered": "answered", "extended": "extended",
        "provisional": "holidays are not published that far: provisional",
        "days": "{} working days", "hours": "{} hours of work", "rating": "the rating link lives",
        "sum": "{} days", "more": "{} more were granted",
        "paused": "{} paused, not counted",
        "awaited": "answer awaited", "overdue": "overdue", "in-time": "answered in time",
        "late": "answered late", "ended": "ended without an answer",
    },
}  # fmt: skip


def text(found: Explanation, language: Language) -> str:
    """The whole reckoning; lines that end with a line break."""
    return "".join(f"{line}\n" for line in _lines(found, language))


def _lines(found: Explanation, language: Language) -> Iterator[str]:
    yield from head(found, language)
    yield ""
    yield _row(HEADS[language])
    for day in found.days:
        yield _row(cells(day, language))
    yield ""
    yield arithmetic(found, language)


def head(found: Explanation, language: Language) -> Iterator[str]:
    """What the reckoning is about: case, limit, due dates, answer."""
    words, zone = PHRASES[language], ZoneInfo(found.zone)
    about = (found.case_id, found.colour, found.unit, words[found.outcome])
    yield " · ".join(part for part in about if part)
    yield f"{words['from']} {_moment(found.started_at, zone)} · {_limit(found, language)}"
    yield f"{words['due']} {_moment(found.due_at, zone)}"
    if found.original_due_at != found.due_at:
        yield f"{words['original']} {_moment(found.original_due_at, zone)}"
    if found.stopped_at is not None:
        yield f"{words['answered']} {_moment(found.stopped_at, zone)}"
    if found.accept_due_at is not None:
        yield f"{words['accept']} {_moment(found.accept_due_at, zone)}"
    if found.rating_days is not None:
        yield f"{words['rating']} {words['days'].format(found.rating_days)}"
    if found.provisional:
        yield words["provisional"]


def _limit(found: Explanation, language: Language) -> str:
    words = PHRASES[language]
    if found.limit_hours is not None:
        parts = [words["hours"].format(found.limit_hours)]
    else:
        parts = [words["days"].format(found.limit_days)]
    if found.extended_by:
        parts.append(words["more"].format(found.extended_by))
    if found.paused_days:
        parts.append(words["paused"].format(found.paused_days))
    return _joined(parts, language)


def cells(day: Day, language: Language) -> tuple[str, ...]:
    """A day's line of the table, in the columns of `HEADS`."""
    what = KINDS[language][day.kind]
    name = day.name.get(language)
    notes = [what, name] if name else [what]
    if day.extended:
        notes.append(PHRASES[language]["extended"])
    count = "" if day.number is None else f"{day.number}"
    if day.hours is not None:
        count = f"{day.hours:g} h"
    return (
        day.day.isoformat(),
        WEEKDAYS[language][day.day.weekday()],
        count,
        _noted(notes, language),
    )


def arithmetic(found: Explanation, language: Language) -> str:
    """All days are accounted for: 14 days = 1 of receipt + 5 working days + 8 others."""
    parts = [f"{number} × {KINDS[language][kind]}" for kind, number in sorted(found.counts.items())]
    total = sum(found.counts.values())
    return f"{PHRASES[language]['sum'].format(total)} = {' + '.join(parts)}"


def _noted(notes: list[str], language: Language) -> str:
    first, *rest = notes
    return first + "".join(f"：{each}" if language == "zh" else f": {each}" for each in rest)


def _joined(parts: list[str], language: Language) -> str:
    return ("，" if language == "zh" else ", ").join(parts)


def _row(cells: tuple[str, ...]) -> str:
    widths = (12, 6, 7)
    padded = [
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=False)
    ]
    return ("".join(padded) + cells[-1]).rstrip()


def _width(cell: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in cell)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    """By the clock on the wall; the end of a day is 24:00 of it, not 00:00 of the next."""
    local = at.astimezone(zone)
    if (local.hour, local.minute, local.microsecond) == (23, 59, 999_999):
        return f"{local.date()} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"
