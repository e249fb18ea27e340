"""What the picture says, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.policy.bpmn.spans import Span
from shared.policy.schema.parts import Title

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "description": (
        (
            "政策“{policy}”下一件事的流程：从{channels}个渠道提出，登记并判定；{colours}；"
            "由{levels}办理；{roles}评价；不满意的重新办理，至多{rounds}轮。"
        ),
        (
            "How a case goes under the policy {policy}: raised on {channels} channels, recorded and"
            " triaged; {colours}; handled by {levels}; rated by {roles}; whoever is dissatisfied"
            " reopens it, up to {rounds} rounds."
        ),
    ),
    "case": ("一件事的流程", "A case"),
    "handling": ("单位办理", "Handling in the units"),
    "informant": ("反映人", "Informant"),
    "intake": ("登记与判定", "Intake and triage"),
    "in-charge": ("承办单位", "Unit in charge"),
    "supervisors": ("上级督办", "Supervisors"),
    "evaluator": ("评价人", "Evaluator"),
    "outside": ("外部提出", "Raised from outside"),
    "inside": ("内部提出", "Raised from inside"),
    "record": ("登记，识别，查重", "Record, identify, find repeats"),
    "record-doc": (
        "{days}天内的同一件事算重复。",
        "The same matter within {days} days is a repeat.",
    ),
    "triage": ("判定颜色和单位", "Triage: colour and unit"),
    "triage-doc": ("判定表有{rows}行。", "The table of triage has {rows} rows."),
    "owed": ("须答复？", "Answer owed?"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "noted": ("记录在案", "Noted, closed"),
    "which-colour": ("何种颜色？", "Which colour?"),
    "call": ("{colour}：{days}内答复", "{colour}: answer within {days}"),
    "days": ("{n}个工作日", "{n} working days"),
    "day": ("1个工作日", "1 working day"),
    "hours": ("{n}个工作小时", "{n} hours of work"),
    "hour": ("1个工作小时", "1 hour of work"),
    "range": ("{low}至{high}", "{low} to {high}"),
    "call-by-level": ("{call}（{levels}）", "{call} ({levels})"),
    "at-level": ("{level}：{limit}", "{level}: {limit}"),
    "call-doc-days": (
        "收到当日不计；期限到第{n}个工作日结束时届满。",
        "The day of receipt does not count; the time ends with the {n}. working day after it.",
    ),
    "call-doc-hours": (
        "从收到时起，按工作时间计{n}小时。",
        "{n} hours from the minute of receipt, within the working time.",
    ),
    "by-level-doc": ("层级另有时限：{levels}。", "Levels with limits of their own: {levels}."),
    "counts-days": ("时长按工作日计。", "The duration counts working days."),
    "counts-hours": ("时长按工作小时计。", "The duration counts hours of work."),
    "due-soon": ("到期前{span}", "{span} before the due time"),
    "due-soon-days": ("到期前{span}", "{span} before the due day"),
    "due-soon-share": ("时限过{share}", "{share} of the time has passed"),
    "due-soon-days-doc": (
        "在到期日前{span}的那个工作日开始时提醒。",
        "At the start of the working day that lies {span} before the due day.",
    ),
    "due-soon-doc": (
        "在到期前{span}提醒。",
        "{span} before the time is over.",
    ),
    "due-soon-share-doc": (
        "在时限过去{share}时提醒。",
        "Once {share} of the working time has passed.",
    ),
    "reminded": ("提醒承办单位", "Unit reminded"),
    "overdue": ("逾期：过{span}", "Overdue after {span}"),
    "overdue-by-level": ("逾期：过本层级时限", "Overdue: its level's time is over"),
    "overdue-doc-days": (
        "第{n}个工作日结束后逾期。",
        "Overdue once the {n}. working day is over.",
    ),
    "overdue-doc-hours": ("{n}个工作小时后逾期。", "Overdue once {n} hours of work are over."),
    "next-step": ("每{days}", "every {days}"),
    "first-step": ("过{first}，再每{days}", "after {first}, then every {days}"),
    "repeated": ("{pace}，到顶后重复", "{pace}, the last one again and again"),
    "escalate": ("逐级上报，至多{steps}级", "Escalate, up to {steps} steps"),
    "escalate-none": ("逾期提示", "Tell that it is overdue"),
    "escalate-doc": (
        "逾期{first}后上报第一级；以后每过{days}上报一级，直到答复或到顶。",
        (
            "The first step {first} after the breach, then one each {days}, until it is answered"
            " or the chain ends."
        ),
    ),
    "escalate-repeat-doc": (
        "逾期{first}后上报第一级；以后每过{days}上报一级；到顶后按同一节奏重复，直到答复。",
        (
            "The first step {first} after the breach, then one each {days}; the last is taken"
            " again at that pace until it is answered."
        ),
    ),
    "escalate-rows-doc": (
        "上报表有{rows}行，按情况定节奏和上报单位。",
        "A table of {rows} rows sets the pace and the units told by the facts of the case.",
    ),
    "escalated": ("上报完毕", "Chain at its end"),
    "escalated-repeat": ("答复为止", "Until answered"),
    "time": ("时限调整", "Changes of time"),
    "pause": ("暂停：时限停走", "A pause: the clocks stand still"),
    "pause-asked": ("提出暂停", "Pause"),
    "pause-on": ("时限停走", "Clocks stand still"),
    "pause-on-doc": (
        "由有权暂停的单位或承办单位恢复；答复也结束暂停。",
        "Ended by whoever may pause, or by the unit in charge; an answer ends it, too.",
    ),
    "pause-longest": ("至多{days}", "{days} at most"),
    "pause-over": ("恢复计时", "Clocks go on"),
    "pause-row": ("{reason}：{by}，至多{days}", "{reason}: {by}; {days} at most"),
    "extension": ("延期：更多时间", "An extension: more time"),
    "extension-asked": ("申请延期", "Asked for"),
    "extension-decide": ("审批延期", "Decide on it"),
    "extension-granted": ("同意？", "Granted?"),
    "extension-later": ("到期日顺延", "Due later"),
    "extension-refused": ("时限不变", "Due as before"),
    "extension-row": (
        "每轮至多{most}次，每次至多{days}\n申请：{asked_by}\n审批：{decided_by}",
        "{most} a round, {days} at most\nAsked for by: {asked_by}\nDecided by: {decided_by}",
    ),
    "who-handler": ("承办单位", "the unit in charge"),
    "who-parent": ("上级单位", "the unit above"),
    "who-rates": ("由谁评价？", "Who rates?"),
    "who-rates-doc": (
        "评价人对应表有{rows}行；经办的人和单位除外。",
        "The evaluator mapping has {rows} rows; whoever handled the case is left out.",
    ),
    "anyone": ("有人可问？", "Anyone to ask?"),
    "not-asked": ("无人可问，结案", "Nobody to ask: closed"),
    "ask": ("发出个人链接", "Send a personal link"),
    "rate": ("评价答复", "Rate the answer"),
    "rate-doc": ("评分：{scale}。", "The scale: {scale}."),
    "link": ("链接有效{days}", "link lives {days}"),
    "lapsed": ("未评价，结案", "Not rated: closed"),
    "satisfied": ("满意？", "Satisfied?"),
    "closed": ("办结", "Closed"),
    "rounds": ("不足{rounds}轮？", "Fewer than {rounds} rounds?"),
    "rounds-over": ("{rounds}轮已满，结案", "{rounds} rounds are over: closed"),
    "reopened": ("重新办理", "Reopened"),
    "withdrawal": ("撤回", "Withdrawal, at any time"),
    "taken-back": ("提出撤回", "Taken back"),
    "withdrawn": ("已撤回", "Withdrawn"),
    "routed": ("分派到单位", "Routed to a unit"),
    "which-level": ("哪一层级？", "Which level?"),
    "accept": ("签收", "Accept"),
    "accept-limit": ("签收时限：{limits}", "Accept within: {limits}"),
    "accept-one": ("{colour}{limit}", "{colour} {limit}"),
    "accept-limits-days": ("{limits}个工作日", "{limits} working days"),
    "accept-limits-hours": ("{limits}个工作小时", "{limits} hours of work"),
    "accept-none": ("不限", "no limit"),
    "accept-doc": (
        "时限过后仍未签收即为逾期签收。",
        "Acceptance is overdue once the time is over. The case itself goes on.",
    ),
    "accept-late": ("逾期未签收：提醒", "Not accepted: told"),
    "ours": ("归本单位？", "Ours to solve?"),
    "elsewhere": ("移交或退回", "Transfer or return"),
    "elsewhere-doc": (
        "移交他单位，或退回来处；办复时限继续计算，记录人仍然负责。",
        (
            "To another unit, or back to where it came from; the clock of the reply and the"
            " recorder's accountability go on."
        ),
    ),
    "accept-anew": ("签收时限重新计算。", "The acceptance clock starts anew."),
    "accept-goes-on": ("签收时限继续计算。", "The acceptance clock goes on."),
    "handle": ("办理", "Handle"),
    "reply": ("答复", "Reply"),
    "replied": ("已答复", "Answered"),
    "side-note": ("{channels}", "{channels}"),
    "role-informant": ("反映人", "the informant"),
    "role-recorder": ("记录人", "the recorder"),
    "role-station": ("登记站点", "the station"),
    "role-parent": ("上级单位", "the unit above"),
    "role-children": ("下级单位", "the units below"),
    "role-tied": ("挂钩单位", "tied units"),
    "role-paired": ("结对单位", "paired units"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The texts in one language."""

    language: Language

    def say(self, key: str, **values: object) -> str:
        """The text of this key, with the values put in."""
        return _TEXTS[key][0 if self.language == "zh" else 1].format(**values)

    def days(self, number: int) -> str:
        """So many working days."""
        return self.say("day") if number == 1 else self.say("days", n=number)

    def span(self, span: Span) -> str:
        """A limit of the policy: so many working days, or hours of work."""
        if not span.in_hours:
            return self.days(span.number)
        return self.say("hour") if span.number == 1 else self.say("hours", n=span.number)

    def spread(self, spans: Sequence[Span]) -> str:
        """From the shortest to the longest of several in working days, which stand in order."""
        if spans[0] == spans[-1]:
            return self.span(spans[0])
        return self.say("range", low=spans[0].number, high=self.span(spans[-1]))

    def title(self, title: Title) -> str:
        """What a thing of the policy is called."""
        return title.zh if self.language == "zh" else title.en

    def titles(self, titles: Iterable[Title]) -> str:
        """Several of them in a row."""
        return self.list(map(self.title, titles))

    def paragraph(self, *sentences: str) -> str:
        """Sentences after one another; empty ones are left out."""
        return ("" if self.language == "zh" else " ").join(filter(None, sentences))

    def list(self, parts: Iterable[str]) -> str:
        """Several texts in a row."""
        return ("、" if self.language == "zh" else ", ").join(parts)
