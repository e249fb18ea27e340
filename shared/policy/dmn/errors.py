"""What is wrong with a DMN file, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.errors import ConcentricError, Problem


class TablesUnusable(ConcentricError):
    """Decision tables that the policy cannot take over; each problem names its element's id."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"The decision tables of {file} cannot be taken over:\n{lines}")
        self.file = file
        self.problems = tuple(problems)


class NotSayable(Exception):
    """An expression that the policy's language does not know; the message says how to mend it."""
