"""What a proof finds: what is wrong, where, how to mend it, and a case that shows it."""

from __future__ import annotations

import re

from shared.domain.errors import Problem
from shared.domain.model import View
from shared.policy.explaining.hypothetical import Hypothetical
from shared.policy.source import Path, Source, dotted


class Finding(View):
    """One thing that is wrong with a policy."""

    code: str
    """What, for programs."""
    line: int
    column: int = 1
    where: str
    """The place in the file, such as `triage[3]`; empty for the file as a whole."""
    message: str
    """What and how to mend it, for people."""
    example: Hypothetical | None = None
    """A case that shows it; None where no single case does."""
    table: str | None = None
    rows: tuple[str, ...] = ()
    """The rows that it is about: first the one at the place, then those that are in its way."""
    note: bool = False
    """Told, but no reason to refuse the file."""


class Place:
    """Points into a policy file."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def finding(self, path: Path, code: str, message: str, **more: object) -> Finding:
        """A finding at the innermost part of a path that stands in the file."""
        known = path
        while known and known not in self.source.marks:
            known = known[:-1]
        line, column = self.source.marks.get(known, (1, 1))
        where = dotted(path[:-1] if path[-1:] == ("name",) else path)
        given = {"code": code, "line": line, "column": column, "where": where, "message": message}
        return Finding.model_validate(given | more)


def of_problem(problem: Problem) -> Finding:
    """What the loader found, in the same form."""
    place = re.match(r"line (\d+), column (\d+)(?:: )?", problem.field)
    line, column = (int(place[1]), int(place[2])) if place else (1, 1)
    where = problem.field[place.end() :] if place else problem.field
    return Finding(
        code=problem.code, line=line, column=column, where=where, message=problem.message,
        table=re.split(r"[.\[]", where)[0] or None,
    )  # fmt: skip
