"""What the policy finds wrong with a submission, each thing with how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from shared.domain.case import Submission
from shared.domain.errors import Problem
from shared.domain.policy import Unit
from shared.policy.engine.table import FactType
from shared.policy.schema.document import CategoryPart, ChannelPart, Document, ItemPart
from shared.policy.schema.names import suggest

_READERS: Mapping[str, Callable[[Submission], object]] = {
    "recorder": lambda submission: submission.recorder,
    "station": lambda submission: submission.station,
    "place": lambda submission: submission.place,
    "campaign": lambda submission: submission.campaign,
    "item": lambda submission: submission.item,
    "text": lambda submission: submission.text.strip(),
    "informant": lambda submission: (
        submission.informant.ref or submission.informant.name or submission.informant.contact
    ),
    "informant.name": lambda submission: submission.informant.name,
    "informant.contact": lambda submission: submission.informant.contact,
}


class Admission:
    """Checks submissions against the catalogue and the required fields."""

    def __init__(self, document: Document, units: Mapping[str, Unit]) -> None:
        self._units = units
        self._kinds = {kind.value for kind in document.kinds}
        self._channels: dict[str, ChannelPart] = {part.id: part for part in document.channels}
        self._categories: dict[str, CategoryPart] = {part.id: part for part in document.categories}
        self._items: dict[str, tuple[CategoryPart, ItemPart]] = {
            item.id: (category, item) for category in document.categories for item in category.items
        }
        self._campaigns = {campaign.id for campaign in document.campaigns}
        self._wanted_through = {
            part.id: dict.fromkeys(part.requires, f"through channel `{part.id}`")
            for part in document.channels
        }
        self._wanted_at = {
            level.id: dict.fromkeys(level.requires, f"at level `{level.id}`")
            for level in document.levels
        }
        self._attributes = document.attributes

    def problems(self, submission: Submission) -> Sequence[Problem]:
        """Everything that is wrong, at once; empty where the submission can be taken in."""
        return [
            *self._names(submission),
            *self._catalogue(submission),
            *self._values(submission),
            *self._required(submission),
        ]

    def _names(self, submission: Submission) -> Iterator[Problem]:
        given = (
            ("channel", submission.channel, self._channels),
            ("kind", submission.kind.value, self._kinds),
            ("category", submission.category, self._categories),
            ("item", submission.item, self._items),
            ("station", submission.station, self._units),
            ("campaign", submission.campaign, self._campaigns),
        )
        for name, value, known in given:
            if value is not None and value not in known:
                message = f"The policy has no {name} `{value}`: {suggest(value, sorted(known))}"
                yield Problem(field=name, code=f"unknown-{name}", message=message)

    def _catalogue(self, submission: Submission) -> Iterator[Problem]:
        owner, _ = self._items.get(submission.item or "", (None, None))
        category = self._categories.get(submission.category or "") or owner
        if owner is not None and category is not None and owner.id != category.id:
            message = f"`{submission.item}` belongs to `{owner.id}`, not to `{category.id}`."
            yield Problem(field="item", code="item-of-another-category", message=message)
        channel = self._channels.get(submission.channel)
        if channel is not None and category is not None and channel.side != category.side:
            same = [part.id for part in self._categories.values() if part.side == channel.side]
            message = (
                f"`{category.id}` is a category of the {category.side}, `{channel.id}` a channel"
                f" of the {channel.side}: {suggest(category.id, same)}"
            )
            yield Problem(field="category", code="wrong-side", message=message)

    def _values(self, submission: Submission) -> Iterator[Problem]:
        for name, attribute in self._attributes.items():
            if name not in submission.attributes:
                continue
            given = submission.attributes[name]
            value = attribute.type.read(given)
            field = f"attributes.{name}"
            if value is None:
                wanted = {
                    FactType.TEXT: "a text",
                    FactType.INTEGER: "a whole number",
                    FactType.BOOLEAN: "true or false",
                }[attribute.type]
                message = f"`{given}` is not {wanted}."
                yield Problem(field=field, code="wrong-type", message=message)
            elif attribute.values is not None and value not in attribute.values:
                message = f"`{value}` is not allowed: {suggest(value, attribute.values)}"
                yield Problem(field=field, code="unknown-value", message=message)

    def _required(self, submission: Submission) -> Iterator[Problem]:
        wanted = self._wanted_through.get(submission.channel, {})
        station = self._units.get(submission.station or "")
        if station is not None:
            wanted = wanted | self._wanted_at[station.level]
        for field, where in wanted.items():
            if not _has(submission, field):
                message = f"A record {where} needs `{field}`: fill it in."
                yield Problem(field=field, code="required", message=message)


def _has(submission: Submission, field: str) -> bool:
    if field.startswith("attributes."):
        return submission.attributes.get(field.removeprefix("attributes.")) not in {None, ""}
    return bool(_READERS[field](submission))
