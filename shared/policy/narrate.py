"""An explanation as people read it, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from shared.domain.case import Scalar
from shared.policy.explain import Asked, Explanation, NearRow, TableExplanation
from shared.policy.policy import CompiledPolicy

Language = Literal["en", "zh"]

SHOWN = 6
"""Values of a condition that are written out."""

WORDS: Mapping[str, Mapping[Language, str]] = {
    "refused": {"en": "Intake would refuse this case:", "zh": "登记时会拒收："},
    "outcome": {
        "en": "{colour}, to {unit}. Policy {version}.",
        "zh": "{colour}，交 {unit} 办理。政策版本 {version}。",
    },
    "matter": {"en": "Matter: {matter}", "zh": "事项：{matter}"},
    "clock": {
        "en": "To be answered within {reply} working days{by}.",
        "zh": "应在 {reply} 个工作日内答复{by}。",
    },
    "by": {"en": ", by {day}", "zh": "，期限 {day}"},
    "no-clock": {"en": "No answer is owed.", "zh": "无需答复。"},
    "triage": {"en": "Triage", "zh": "分诊"},
    "routing": {"en": "Routing", "zh": "分派"},
    "evaluators": {"en": "Who rates", "zh": "由谁评价"},
    "escalation": {"en": "Escalation", "zh": "逐级上报"},
    "decided": {"en": "{table}: row “{row}” decided.", "zh": "{table}：由规则“{row}”决定。"},
    "nobody": {"en": "{table}: no row matched.", "zh": "{table}：没有规则匹配。"},
    "facts": {"en": "It saw: {facts}", "zh": "所见事实：{facts}"},
    "because": {"en": "because {fact} {wanted} (it is {value})",
                "zh": "因为 {fact} {wanted}（现为 {value}）"},
    "always": {"en": "because it takes every case that is left", "zh": "因为其余情形都归这条规则"},
    "not": {"en": "Not “{row}”, which asks that {fact} {wanted}: it is {value}.",
            "zh": "不是“{row}”：需要 {fact} {wanted}，现为 {value}。"},
    "several": {"en": "Not “{row}”, which asks for all of this:",
                "zh": "不是“{row}”：以下各项都需不同："},
    "one": {"en": "that {fact} {wanted}: it is {value}",
            "zh": "需要 {fact} {wanted}，现为 {value}"},
    "late": {"en": "and that “{row}”, which goes before, does not match",
             "zh": "并且排在前面的“{row}”不匹配"},
    "behind": {"en": "It also matches, but comes later: {rows}", "zh": "也匹配但排在后面：{rows}"},
    "raters": {"en": "May rate, the first preferred: {who}", "zh": "可评价者（前者优先）：{who}"},
    "no-raters": {"en": "Nobody is left who may rate.", "zh": "没有可评价的人。"},
    "role": {"en": "{role}: {who}", "zh": "{role}：{who}"},
    "no-one": {"en": "nobody, or only who handled the case", "zh": "无人，或只有经办者"},
    "climbs": {"en": "Overdue, it climbs to: {units}", "zh": "逾期后上报：{units}"},
    "any_of": {"en": "is {values}", "zh": "为 {values}"},
    "none_of": {"en": "is not {values}", "zh": "不为 {values}"},
    "at_least": {"en": "is at least {number}", "zh": "不少于 {number}"},
    "at_most": {"en": "is at most {number}", "zh": "不多于 {number}"},
    "present": {"en": "is known", "zh": "已知"},
    "absent": {"en": "is absent", "zh": "缺失"},
    "and": {"en": " and ", "zh": "且"},
    "or": {"en": " or ", "zh": " 或 "},
    "more": {"en": " or {number} more", "zh": " 等 {number} 个"},
    "nothing": {"en": "absent", "zh": "缺失"},
    "true": {"en": "true", "zh": "是"},
    "false": {"en": "false", "zh": "否"},
}  # fmt: skip


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
        declared: dict[str, Any] = {**document.attributes, **document.mentions}
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
        yield self._clock(explanation)
        for table in explanation.tables:
            yield ""
            yield from self._table(table)
            if table.table == "evaluators":
                yield from self._raters(explanation)
        if explanation.escalation:
            yield ""
            units = " → ".join(map(self._titled, explanation.escalation))
            yield self._say("climbs", units=units)

    def _clock(self, explanation: Explanation) -> str:
        reply, due = explanation.decision.limits.reply, explanation.due_at
        if reply is None:
            return self._say("no-clock")
        by = "" if due is None else self._say("by", day=self._calendar.local_day(due))
        return self._say("clock", reply=reply, by=by)

    def _table(self, table: TableExplanation) -> Iterator[str]:
        name = self._say(table.table)
        if not table.rows:
            yield self._say("nobody", table=name)
        for row in table.rows:
            yield self._say("decided", table=name, row=row)
        if table.rows and not table.why:
            yield f"  {self._say('always')}"
        for asked in table.why:
            yield f"  {self._asked('because', asked)}"
        facts = (f"{self._fact(fact)}={self._value(value)}" for fact, value in table.facts.items())
        yield f"  {self._say('facts', facts=', '.join(facts))}"
        for near in table.nearly:
            yield from self._near(near, table.rows)
        if table.behind:
            yield f"  {self._say('behind', rows=', '.join(table.behind))}"

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
        if asked.at_least is not None:
            parts.append(self._say("at_least", number=asked.at_least))
        if asked.at_most is not None:
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
