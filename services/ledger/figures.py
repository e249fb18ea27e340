"""What the report holds, in the form in which it is given out."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.model import Instant


class OnTime(BaseModel):
    """How promises were kept."""

    on_time: int
    late: int
    open_overdue: int
    rate: float | None


class Satisfaction(BaseModel):
    """How answers were judged."""

    asked: int
    rated: int
    satisfied: int
    rate: float | None


class Line(BaseModel):
    """The figures of one unit, channel or category."""

    id: str
    cases: int
    open: int
    closed: int
    withdrawn: int
    repeats: int
    on_time: OnTime
    satisfaction: Satisfaction | None = None
    """Of the unit or the category that was judged; channels are not judged."""


class Need(BaseModel):
    """What people ask for."""

    category: str
    item: str | None
    cases: int
    open: int
    open_overdue: int


class Dissatisfaction(BaseModel):
    """What people are not satisfied with."""

    unit: str
    category: str
    rated: int
    dissatisfied: int
    rate: float
    """Of satisfaction."""


class Titles(BaseModel):
    """What things are called, by language: `zh` and `en`."""

    colours: dict[str, dict[str, str]]
    levels: dict[str, dict[str, str]]
    units: dict[str, dict[str, str]]


class Report(BaseModel):
    """Everything that `concentric report` says; `from` and `to` are days of recording."""

    model_config = ConfigDict(populate_by_name=True)

    generated_at: Instant
    start: date | None = Field(alias="from")
    end: date | None = Field(alias="to")
    timezone: str
    cases: int
    open: int
    closed: int
    withdrawn: int
    repeats: int
    repeat_rate: float | None
    """Repeats ÷ cases."""
    paused: int
    """Cases whose clocks stood still for a while."""
    extended: int
    """Cases for which more time was granted."""
    on_time: dict[str, OnTime]
    """By colour, and `all`."""
    satisfaction: dict[str, Satisfaction]
    """By the level that was judged, and `all`."""
    units: list[Line]
    channels: list[Line]
    categories: list[Line]
    top_needs: list[Need]
    """What most cases were about, the most frequent first."""
    top_dissatisfaction: list[Dissatisfaction]
    """Where most judgements were not satisfied, the most first."""
    policy_versions: dict[str, int]
    """Cases by the version of the policy that routed them."""
    titles: Titles
