"""The policies of a simulated house: small, with short clocks, so that much happens soon."""

from __future__ import annotations

from functools import cache

from shared.policy import CompiledPolicy, parse_policy

FIRST = """\
policy: simulated
title: {zh: 模拟, en: Simulated}
timezone: Asia/Shanghai
calendar:
  country: CN
  years: [2025, 2028]
kinds:
  problem: {title: {zh: 问题, en: Problem}, answer_owed: true}
  complaint: {title: {zh: 投诉, en: Complaint}, answer_owed: true}
  information: {title: {zh: 信息, en: Information}, answer_owed: false}
levels:
  - {id: top, title: {zh: 上, en: Top}}
  - {id: base, title: {zh: 下, en: Base}}
units:
  - id: house
    level: top
    title: {zh: 总部, en: House}
    children:
      - {id: repair, level: base, title: {zh: 抢修, en: Repair}}
      - {id: north, level: base, title: {zh: 北, en: North}}
      - {id: south, level: base, title: {zh: 南, en: South}, escalates_to: [north, house]}
default_unit: house
channels:
  - {id: hotline, title: {zh: 热线, en: Hotline}, side: outside}
  - {id: mailbox, title: {zh: 信箱, en: Mailbox}, side: inside}
categories:
  - id: power
    title: {zh: 供电, en: Power}
    side: outside
    unit: repair
    items:
      - {id: outage, title: {zh: 停电, en: Outage}, keywords: [outage]}
  - {id: staff, title: {zh: 职工, en: Staff}, side: inside}
default_category: {outside: power, inside: staff}
mentions:
  danger: {title: {zh: 危险, en: Danger}, keywords: [fire]}
counts:
  again: {title: {zh: 又, en: Again}, of: same-matter, days: 30}
colours:
  - {id: red, title: {zh: 红, en: Red}, reply: 2, accept: 1, warn: [1]}
  - {id: orange, title: {zh: 橙, en: Orange}, reply: {hours: 9}, warn: [2]}
  - {id: yellow, title: {zh: 黄, en: Yellow}, reply: 6, warn: [50%, 1]}
triage:
  - {name: danger, when: {danger: true}, then: {colour: red, unit: repair}}
  - {name: again, when: {again: {at_least: 2}}, then: {colour: orange, unit: station}}
  - {name: complaint, when: {kind: complaint}, then: {colour: orange, unit: category-unit}}
  - {name: rest, when: {}, then: {colour: yellow, unit: station}}
evaluators:
  - {name: base, when: {level: base}, then: {ask: [informant, recorder, station, parent]}}
  - {name: top, when: {level: top}, then: {ask: [informant, children]}}
rating:
  link_days: 4
  scale:
    - {id: good, title: {zh: 好, en: Good}, value: 2, satisfied: true}
    - {id: bad, title: {zh: 差, en: Bad}, value: 1, satisfied: false}
reopening: {rounds: 3}
repeats: {days: 30}
acceptance: {at_transfer: anew}
escalation: {days: 1, repeat: true}
pauses:
  waiting: {title: {zh: 等待, en: Waiting}, by: [handler], max_days: 3}
extensions: {most: 1, max_days: 3, decided_by: [parent]}
contacts:
  unit_mail: "{unit}@house.example.org"
  units:
    repair: {mail: [duty@house.example.org], webhook: [control-room]}
messages:
  languages: [en]
  show: case
  quiet: {from: "20:00", until: "07:30", days_off: true, except: [red]}
  digest: {at: "08:00"}
notifications:
  - name: a red slip
    when: {event: [case.routed, case.transferred], colour: red}
    then: {tell: [unit], by: [mail, webhook]}
  - name: time has run out
    when: {event: case.overdue}
    then: {tell: [unit]}
review: {levels: [base], days: 5, by: [parent]}
"""
"""What the house begins with."""

STRICTER = FIRST.replace("reply: 6, warn: [50%, 1]", "reply: 4, accept: 1, warn: [50%, 2]").replace(
    "then: {colour: orange, unit: category-unit}", "then: {colour: red, unit: south}"
)
"""Other limits, another unit, and a limit for accepting where there was none."""

HOLIDAY = FIRST.replace(
    "years: [2025, 2028]", 'years: [2025, 2028]\n  holidays: ["2026-03-09", "2026-03-18"]'
).replace("rounds: 3", "rounds: 2")
"""Two days off that nobody knew of, so that due dates move."""

LATER = (FIRST, STRICTER, HOLIDAY)
"""What may be applied later; the first one once more as well."""


@cache
def compiled(content: bytes) -> CompiledPolicy:
    """A policy, compiled once in a process: it never changes, and may be shared."""
    return parse_policy("simulated.yaml", content)


def version_of(content: str) -> str:
    """The name by which decisions call it."""
    return compiled(content.encode()).version
