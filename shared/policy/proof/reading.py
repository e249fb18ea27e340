"""A policy file that may not load, read as far as proofs and explanations need it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from shared.domain.errors import PolicyError, Problem
from shared.policy import source as yaml_source
from shared.policy.load import parse_policy, read_bytes, version_of
from shared.policy.policy import CompiledPolicy
from shared.policy.schema.document import Document
from shared.policy.schema.names import Names
from shared.policy.source import Source
from shared.policy.time.calendar import build

PROVABLE = frozenset({
    "no-catch-all", "no-evaluator", "unreachable", "contradiction", "overlap",
})  # fmt: skip
"""What loading refuses by the look of the rows, and a proof tells more of."""


@dataclass(frozen=True)
class Reading:
    """What a file says."""

    file: str
    source: Source | None
    problems: tuple[Problem, ...]
    """What keeps it from being loaded."""
    policy: CompiledPolicy | None
    """It as a policy, where at most its rows are wrong; not for deciding cases then."""

    @property
    def document(self) -> Document | None:
        """The content, where at most its rows are wrong."""
        return None if self.policy is None else self.policy.document


def read(path: Path) -> Reading:
    """The reading of a file.

    Raises:
        PolicyError: the file cannot be read.
    """
    return reading_of(f"{path}", read_bytes(path))


def reading_of(file: str, content: bytes) -> Reading:
    """The reading of a content; `file` names it."""
    try:
        policy = parse_policy(file, content)
    except PolicyError as error:
        return _lenient(file, content, error.problems)
    return Reading(file, yaml_source.read(file, content), (), policy)


def _lenient(file: str, content: bytes, problems: tuple[Problem, ...]) -> Reading:
    if any(problem.code not in PROVABLE for problem in problems):
        return Reading(file, None, problems, None)
    source = yaml_source.read(file, content)
    try:
        document = Document.model_validate(source.data, context=Names.of(source.data))
    except ValidationError:
        return Reading(file, source, problems, None)
    calendar = build(document.calendar, ZoneInfo(document.timezone))
    version = version_of(document.policy, content)
    return Reading(file, source, problems, CompiledPolicy(document, calendar, version))
