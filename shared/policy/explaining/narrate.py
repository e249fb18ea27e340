"""An explanation as people read it, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from shared.domain.case import Scalar
from shared.policy.engine.table import Hit
from shared.policy.explaining.clocks import ClockExplanation
from shared.policy.explaining.explain import Asked, Explanation, NearRow, TableExplanation
from shared.policy.explaining.words import WORDS, Language
from shared.policy.policy import CompiledPolicy

SHOWN = 6
"""Values of a condition that are written out."""


def narrate(explanation: Explanation, policy: CompiledPolicy, language: Language) -> list[str]:
    """The explanation line by line; lines within a table begin with two spaces."""
    return list(_Teller(policy, language).tell(explanation))


class _Teller:
    def __init__(self, policy: CompiledPolicy, language: Language) -> None:
        self._language = language
        self._calendar = policy.calendar
        document = policy.document
        named = [
            *policy.units.values(), *policy.colours.values(), *policy.levels.values(),
        ]  # fmt: skip
        self._titles = {thing.id: thing.title[language] for thing in named}
        for category in document.categories:
            for part in (category, *category.items):
                self._titles.setdefault(part.id, getattr(part.title, language))
        declared: dict[str, Any] = {
            **document.attributes, **document.mentions, **document.counts,
        }  # fmt: skip
        self._pauses = {
            reason: getattr(part.title, language) for reason, part in document.pauses.items()
        }
        self._facts = {name: getattr(part.title, language) for name, part in declared.items()}

    def tell(self, explanation: Explanation) -> Iterator[str]:
        decision = explanation.decision
        if explanation.refused:
            yield self._say("refused")
            yield from (f"  {problem}" for problem in explanation.refused)
        yield self._say(
            "outcome",
            colour=self._titled(decision.colour),
            unit=self._titled(decision.unit),
            version=explanation.policy_version,
        )
        matter = [self._titled(one) for one in (explanation.category, explanation.item) if one]
        if matter:
            yield self._say("matter", matter=" › ".join(matter))
        yield from self._clocks(explanation)
        for table in explanation.tables:
            yield ""
            yield from self._table(table)
            if table.table == "evaluators":
                yield from self._raters(explanation)
        if explanation.clocks is not None:
            yield ""
            yield from self._climbs(explanation, explanation.clocks)
            yield from self._rights(explanation.clocks)

    def _clocks(self, explanation: Explanation) -> Iterator[str]:
        clocks = explanation.clocks
        if clocks is None:
            yield self._say("no-clock")
            return
        limits, due, accept = clocks.limits, explanation.due_at, clocks.accept_due_at
        yield from self._clock("reply", limits.reply, limits.reply_hours, due)
        yield from self._clock("accept", limits.accept, limits.accept_hours, accept)

    def _clock(
        self, word: str, days: int | None, hours: int | None, due: datetime | None
    ) -> Iterator[str]:
        if hours is not None:
            end = None if due is None else f"{due.astimezone(self._calendar.zone):%Y-%m-%d %H:%M}"
            time = self._number("hour", hours)
        elif days is not None:
            end = None if due is None else f"{self._calendar.local_day(due)}"
            time = self._number("day", days)
        else:
            return
        by = "" if end is None else self._say("by", end=end)
        yield self._say(word, time=time, by=by)

    def _number(self, word: str, number: int) -> str:
        return self._say(word if number == 1 else f"{word}s", number=number)

    def _climbs(self, explanation: Explanation, clocks: ClockExplanation) -> Iterator[str]:
        if not explanation.escalation:
            yield self._say("climbs-not")
            return
        units = " → ".join(map(self._titled, explanation.escalation))
        yield self._say("climbs", units=units)
        pace = clocks.pace
        at = ""
        if pace.first_step_at is not None:
            at = self._say("at", day=self._calendar.local_day(pace.first_step_at))
        yield "  " + self._say(
            "pace",
            first=self._number("day", pace.first),
            at=at,
            days=self._number("day", pace.days),
            repeat=self._say("repeat") if pace.repeat else "",
        )

    def _rights(self, clocks: ClockExplanation) -> Iterator[str]:
        for reason, units in clocks.rights.pause.items():
            yield self._say(
                "pause", reason=self._pauses.get(reason, reason), who=self._units(units)
            )
        if clocks.rights.ask:
            yield self._say("decide", who=self._units(clocks.rights.decide))

    def _units(self, units: Sequence[str]) -> str:
        return ", ".join(map(self._titled, units)) or self._say("nobody-at-all")

    def _table(self, table: TableExplanation) -> Iterator[str]:
        name = self._say(table.table)
        if not table.rows:
            left_over = "by-tree" if table.table == "escalation" else "otherwise"
            yield self._say(left_over if table.otherwise else "nobody", table=name)
        else:
            yield self._say("decided", table=name, row=table.rows[0])
            yield from self._because(table.why)
        for also in table.also:
            yield self._say("decided", table=name, row=also.row)
            yield from self._because(also.why)
        if table.hit is not Hit.FIRST:
            meaning = self._say(table.hit.value)
            yield f"  {self._say('hit', hit=table.hit.value, meaning=meaning)}"
        if table.conflict is not None:
            first, second = table.conflict
            told = self._say("conflict", first=first, second=second, hit=table.hit.value)
            yield f"  {told}"
        facts = (f"{self._fact(fact)}={self._value(value)}" for fact, value in table.facts.items())
        yield f"  {self._say('facts', facts=', '.join(facts))}"
        for near in table.nearly:
            yield from self._near(near, table.rows)
        if table.behind:
            yield f"  {self._say('behind', rows=', '.join(table.behind))}"

    def _because(self, why: Sequence[Asked]) -> Iterator[str]:
        if not why:
            yield f"  {self._say('always')}"
        for asked in why:
            yield f"  {self._asked('because', asked)}"

    def _near(self, near: NearRow, decided: Sequence[str]) -> Iterator[str]:
        if len(near.differs) == 1 and not near.late:
            yield f"  {self._asked('not', near.differs[0], row=near.row)}"
            return
        yield f"  {self._say('several', row=near.row)}"
        yield from (f"    {self._asked('one', asked)}" for asked in near.differs)
        if near.late:
            yield f"    {self._say('late', row=decided[0])}"

    def _raters(self, explanation: Explanation) -> Iterator[str]:
        for role in explanation.roles:
            who = ", ".join(map(self._who, role.reached)) or self._say("no-one")
            yield f"  {self._say('role', role=role.role, who=who)}"
        if explanation.evaluators:
            who = ", ".join(map(self._who, explanation.evaluators))
            yield f"  {self._say('raters', who=who)}"
        else:
            yield f"  {self._say('no-raters')}"

    def _asked(self, word: str, asked: Asked, **more: object) -> str:
        return self._say(
            word, fact=self._fact(asked.fact), wanted=self._wanted(asked),
            value=self._value(asked.value), **more,
        )  # fmt: skip

    def _wanted(self, asked: Asked) -> str:
        parts = []
        if asked.present is not None:
            parts.append(self._say("present" if asked.present else "absent"))
        if asked.any_of is not None:
            parts.append(self._say("any_of", values=self._values(asked.any_of)))
        if asked.none_of is not None:
            parts.append(self._say("none_of", values=self._values(asked.none_of)))
        if asked.at_least is not None and asked.at_most is not None:
            parts.append(self._say("between", low=asked.at_least, high=asked.at_most))
        elif asked.at_least is not None:
            parts.append(self._say("at_least", number=asked.at_least))
        elif asked.at_most is not None:
            parts.append(self._say("at_most", number=asked.at_most))
        return self._say("and").join(parts)

    def _values(self, values: Sequence[Scalar]) -> str:
        text = self._say("or").join(self._value(value) for value in values[:SHOWN])
        rest = len(values) - SHOWN
        return text if rest <= 0 else text + self._say("more", number=rest)

    def _value(self, value: Scalar | None) -> str:
        if value is None:
            return self._say("nothing")
        if isinstance(value, bool):
            return self._say("true" if value else "false")
        return f"{value}"

    def _who(self, evaluator: str) -> str:
        kind, _, name = evaluator.partition(":")
        return f"{kind}:{self._titled(name)}" if kind == "unit" else evaluator

    def _fact(self, name: str) -> str:
        title = self._facts.get(name)
        return name if title is None or title == name else f"{name} ({title})"

    def _titled(self, name: str) -> str:
        title = self._titles.get(name)
        return name if title is None else f"{title} ({name})"

    def _say(self, word: str, **parts: object) -> str:
        return WORDS[word][self._language].format(**parts)
