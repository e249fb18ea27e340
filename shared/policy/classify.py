"""Category and item of a submission that names none, by the policy's keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.case import Submission
from shared.policy.keywords import KeywordIndex, fold
from shared.policy.schema import CategoryPart, Document

SUBJECT_WEIGHT = 3
"""A subject is short and chosen: a hit there counts as much as three in the text."""


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
        self._categories = {category.id: category for category in document.categories}
        self._category_of = {
            item.id: category.id for category in document.categories for item in category.items
        }
        self._owners = _owners(document.categories)
        self._index = KeywordIndex(self._owners)

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

    def _scores(self, submission: Submission) -> dict[tuple[str, str | None], int]:
        in_subject, anywhere = self._index.in_case(submission.subject, submission.text)
        scores: dict[tuple[str, str | None], int] = {}
        for keyword in anywhere:
            score = len(keyword) * (SUBJECT_WEIGHT if keyword in in_subject else 1)
            for owner in self._owners[keyword]:
                scores[owner] = scores.get(owner, 0) + score
        return scores

    def _best_category(self, channel: str, scores: Mapping[tuple[str, str | None], int]) -> str:
        side = self._channel_side.get(channel)
        totals: dict[str, int] = {}
        for (category, _), score in scores.items():
            if self._categories[category].side == side:
                totals[category] = totals.get(category, 0) + score
        if totals:
            return max(self._categories, key=lambda category: totals.get(category, 0))
        return self._default.get(side or "", next(iter(self._default.values())))

    def _best_item(self, category: str, scores: Mapping[tuple[str, str | None], int]) -> str | None:
        part = self._categories.get(category)
        if part is None:
            return None
        hit = [item.id for item in part.items if (category, item.id) in scores]
        return max(hit, key=lambda item: scores[category, item], default=None)


def _owners(categories: Sequence[CategoryPart]) -> dict[str, list[tuple[str, str | None]]]:
    """Who declares each keyword: a category, or an item of one."""
    owners: dict[str, list[tuple[str, str | None]]] = {}
    for category in categories:
        for keyword in {fold(keyword) for keyword in category.keywords}:
            owners.setdefault(keyword, []).append((category.id, None))
        for item in category.items:
            for keyword in {fold(keyword) for keyword in item.keywords}:
                owners.setdefault(keyword, []).append((category.id, item.id))
    return owners
