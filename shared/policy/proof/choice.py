"""One fact among the values that it can have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.case import Scalar
from shared.policy.proof.solver import Literal, Model

Value = Scalar | None


@dataclass(frozen=True)
class Choice:
    """The values of one fact, each with the literal that is true where the fact has it."""

    literals: dict[Value, Literal]

    def where(self, holds: Callable[[Value], bool]) -> list[Literal]:
        """The literals of the values for which this holds."""
        return [literal for value, literal in self.literals.items() if holds(value)]

    def of(self, model: Model) -> Value:
        """The value that the fact has in a model."""
        return next(value for value, literal in self.literals.items() if literal in model)
