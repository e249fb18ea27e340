"""What texts can say: which words can stand together, and what else follows from them.

A text is the words that are put into it, so that it holds just those, and the words within them
(触电 within 触电伤人). A word that is also the keyword of an item gives the case that item, unless
the case names one: a case without item has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.policy.engine.keywords import KeywordIndex, fold
from shared.policy.explaining.hypothetical import SUBJECT
from shared.policy.proof.choice import Choice
from shared.policy.proof.solver import Literal, Model, Solver
from shared.policy.schema.document import Document

BETWEEN = "；"
"""What separates the words of an example; it makes no word of two."""


class Texts:
    """The words of all mentions, and the mentions that they make."""

    def __init__(self, document: Document, solver: Solver, case: Mapping[str, Choice]) -> None:
        self._solver = solver
        words = sorted(
            {fold(word) for mention in document.mentions.values() for word in mention.keywords}
        )
        self._in_subject = {word: solver.new() for word in words}
        self._anywhere = {word: solver.new() for word in words}
        self._words_within(words)
        for name, mention in document.mentions.items():
            place = self._in_subject if mention.within == "subject" else self._anywhere
            known = sorted({fold(word) for word in mention.keywords})
            enough = solver.at_least(mention.at_least, [place[word] for word in known])
            made = case[name].literals[True]
            solver.add(-made, enough)
            solver.add(made, -enough)
        self._items(document, case)

    @property
    def words(self) -> list[Literal]:
        """A literal for each word in each place."""
        return [*self._in_subject.values(), *self._anywhere.values()]

    def write(self, model: Model) -> tuple[str, str]:
        """A subject and a text with the words of a model."""
        subject = self._longest([word for word, here in self._in_subject.items() if here in model])
        rest = [
            word for word, here in self._anywhere.items()
            if here in model and self._in_subject[word] not in model
        ]  # fmt: skip
        return BETWEEN.join(subject) or SUBJECT, BETWEEN.join(self._longest(rest))

    def _words_within(self, words: list[str]) -> None:
        index = KeywordIndex(words)
        for word in words:
            self._solver.add(-self._in_subject[word], self._anywhere[word])
            for other in index.hits(word) - {word}:
                self._solver.add(-self._in_subject[word], self._in_subject[other])
                self._solver.add(-self._anywhere[word], self._anywhere[other])

    def _longest(self, words: list[str]) -> list[str]:
        """The words without those that stand within others."""
        index = KeywordIndex(words)
        within = {other for word in words for other in index.hits(word) - {word}}
        return [word for word in words if word not in within]

    def _items(self, document: Document, case: Mapping[str, Choice]) -> None:
        owners: dict[str, set[str]] = {}
        for category in document.categories:
            for item in category.items:
                for keyword in item.keywords:
                    owners.setdefault(fold(keyword), set()).add(category.id)
        index = KeywordIndex(owners)
        without_item = case["item"].literals[None]
        for word, here in self._anywhere.items():
            for owner in {one for hit in index.hits(word) for one in owners[hit]}:
                self._solver.add(-here, -case["category"].literals[owner], -without_item)
