"""What the picture says, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.policy.parts import Title

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
    "call-doc": (
        "收到当日不计；期限到第{n}个工作日结束时届满。",
        "The day of receipt does not count; the time ends with the {n}. working day after it.",
    ),
    "due-soon": ("到期前{days}", "{days} before the due day"),
    "due-soon-doc": (
        "在到期日前{days}的那个工作日开始时提醒。时长按工作日计。",
        (
            "At the start of the working day that lies {days} before the due day. The duration"
            " counts working days."
        ),
    ),
    "reminded": ("提醒承办单位", "Unit reminded"),
    "overdue": ("逾期：过{days}", "Overdue after {days}"),
    "overdue-doc": (
        "第{n}个工作日结束后逾期。时长按工作日计。",
        "Overdue once the {n}. working day is over. The duration counts working days.",
    ),
    "next-step": ("每{days}", "every {days}"),
    "escalate": ("逐级上报，至多{steps}级", "Escalate, up to {steps} steps"),
    "escalate-none": ("逾期提示", "Tell that it is overdue"),
    "escalate-doc": (
        "每过{days}上报一级，直到答复或到顶。",
        "One step each {days}, until it is answered or the chain ends.",
    ),
    "escalated": ("上报完毕", "Chain at its end"),
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
    "accept": ("受理", "Accept"),
    "accept-limit": ("受理时限：{limits}", "Limits to accept: {limits}"),
    "ours": ("归本单位？", "Ours to solve?"),
    "elsewhere": ("移交或退回", "Transfer or return"),
    "elsewhere-doc": (
        "移交他单位，或退回来处；时限继续计算，记录人仍然负责。",
        (
            "To another unit, or back to where it came from; the clock and the recorder's"
            " accountability go on."
        ),
    ),
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

    def title(self, title: Title) -> str:
        """What a thing of the policy is called."""
        return title.zh if self.language == "zh" else title.en

    def titles(self, titles: Iterable[Title]) -> str:
        """Several of them in a row."""
        return self.list(map(self.title, titles))

    def list(self, parts: Iterable[str]) -> str:
        """Several texts in a row."""
        return ("、" if self.language == "zh" else ", ").join(parts)
