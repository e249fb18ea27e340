"""Category and item of a submission that names none, by the policy's keywords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shared.domain.case import Submission
from shared.policy.engine.keywords import KeywordIndex, fold
from shared.policy.schema.document import CategoryPart, Document

SUBJECT_WEIGHT = 3
"""A subject is short and chosen: a hit there counts as much as three in the text."""

Owner = tuple[str, str | None]
"""A category, or an item of one."""


class Classifier:
    """Finds the category and the item that a text speaks of.

    Each keyword that stands in the subject or the text scores its length, thrice in the subject,
    once however often it stands there. A category scores its own keywords and those of its items;
    the highest score wins, the earlier declared among equals. Only categories of the channel's
    side compete.
    """

    def __init__(self, document: Document) -> None:
        self._channel_side = {channel.id: channel.side for channel in document.channels}
        self._default: Mapping[str, str] = dict(document.default_category.items())
        self._side = {category.id: category.side for category in document.categories}
        self._category_of = {
            item.id: category.id for category in document.categories for item in category.items
        }
        self._owners = _owners(document.categories)
        self._index = KeywordIndex(self._owners)
        self._place = {owner: place for place, owner in enumerate(_in_order(document.categories))}

    def classify(self, submission: Submission) -> tuple[str, str | None]:
        """The category and the item: as given, or found; the side's default where nothing hits."""
        if submission.item is not None and submission.category is None:
            found = self._category_of.get(submission.item)
            if found is not None:
                return found, submission.item
        if submission.category is not None and submission.item is not None:
            return submission.category, submission.item
        scores = self._scores(submission)
        category = submission.category or self._best_category(submission.channel, scores)
        return category, self._best_item(category, scores)

    def _scores(self, submission: Submission) -> dict[Owner, int]:
        in_subject, anywhere = self._index.in_case(submission.subject, submission.text)
        scores: dict[Owner, int] = {}
        for keyword in anywhere:
            score = len(keyword) * (SUBJECT_WEIGHT if keyword in in_subject else 1)
            for owner in self._owners[keyword]:
                scores[owner] = scores.get(owner, 0) + score
        return scores

    def _best_category(self, channel: str, scores: Mapping[Owner, int]) -> str:
        side = self._channel_side.get(channel)
        totals: dict[Owner, int] = {}
        for (category, _), score in scores.items():
            if self._side[category] == side:
                totals[category, None] = totals.get((category, None), 0) + score
        if totals:
            return self._best(totals)[0]
        return self._default.get(side or "", next(iter(self._default.values())))

    def _best_item(self, category: str, scores: Mapping[Owner, int]) -> str | None:
        items = {owner: score for owner, score in scores.items() if owner[0] == category}
        items.pop((category, None), None)
        return self._best(items)[1] if items else None

    def _best(self, scores: Mapping[Owner, int]) -> Owner:
        """The one with the highest score, the earlier declared among equals."""
        return min(scores, key=lambda owner: (-scores[owner], self._place[owner]))


def _in_order(categories: Sequence[CategoryPart]) -> Iterator[Owner]:
    """Every category and item as the file declares them."""
    for category in categories:
        yield category.id, None
        yield from ((category.id, item.id) for item in category.items)


def _owners(categories: Sequence[CategoryPart]) -> dict[str, list[Owner]]:
    """Who declares each keyword."""
    owners: dict[str, list[Owner]] = {}
    for category in categories:
        for keyword in {fold(keyword) for keyword in category.keywords}:
            owners.setdefault(keyword, []).append((category.id, None))
        for item in category.items:
            for keyword in {fold(keyword) for keyword in item.keywords}:
                owners.setdefault(keyword, []).append((category.id, item.id))
    return owners
