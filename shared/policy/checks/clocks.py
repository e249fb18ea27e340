"""What must be true of the sections about time beyond the shape of their parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.domain.calendar import WHOLE_DAY
from shared.policy.schema.clocks import ColourPart, HoursPart, LimitsPart, minutes

if TYPE_CHECKING:
    from shared.policy.checks.draft import Draft
    from shared.policy.source import Path


def check_clocks(draft: Draft) -> None:
    """Report limits that do not fit into each other."""
    for index, colour in enumerate(draft.sections.get("colours", ())):
        for path, part in _parts(index, colour):
            _accept_within_reply(draft, path, part, colour)
        _warn_within_reply(draft, index, colour)


def _parts(index: int, colour: ColourPart) -> Iterator[tuple[Path, ColourPart | LimitsPart]]:
    yield ("colours", index), colour
    for level, part in colour.levels.items():
        yield ("colours", index, "levels", level), part


def _accept_within_reply(
    draft: Draft, path: Path, part: ColourPart | LimitsPart, colour: ColourPart
) -> None:
    reply, accept = part.reply or colour.reply, part.accept or colour.accept
    if accept is None or _hours(accept, draft) <= _hours(reply, draft):
        return
    message = f"{_words(accept)} do not lie within the {_words(reply)} of the reply."
    draft.report((*path, "accept" if part.accept else "reply"), "too-long", message)


def _warn_within_reply(draft: Draft, index: int, colour: ColourPart) -> None:
    unit = "hours" if isinstance(colour.reply, HoursPart) else "working days"
    bound = colour.reply.hours if isinstance(colour.reply, HoursPart) else colour.reply
    for warn in colour.warn:
        if isinstance(warn, int) and warn >= bound:
            message = f"{warn} {unit} do not lie within the {bound} of the reply."
            draft.report(("colours", index, "warn"), "too-long", message)


def _hours(limit: int | HoursPart, draft: Draft) -> float:
    """Hours of work, by which days and hours compare."""
    if isinstance(limit, HoursPart):
        return limit.hours
    spans = WHOLE_DAY
    if draft.has("calendar"):
        spans = tuple(map(minutes, draft["calendar"].business_hours)) or WHOLE_DAY
    return limit * sum(end - begin for begin, end in spans) / 60


def _words(limit: int | HoursPart) -> str:
    return f"{limit.hours} hours" if isinstance(limit, HoursPart) else f"{limit} working days"
