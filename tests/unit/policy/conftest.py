"""A small complete policy, to be broken and bent by the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.case import Case
from shared.policy import CompiledPolicy, load_policy, parse_policy

ROOT = Path(__file__).resolve().parents[3]
POLICIES = ROOT / "examples" / "policies"
NOW = datetime(2020, 1, 6, 9, tzinfo=UTC)

SMALL = """\
policy: small
title: {zh: 小, en: Small}
timezone: Asia/Shanghai
calendar: {country: CN, years: [2018, 2021]}
kinds:
  problem: {title: {zh: 问题, en: Problem}, answer_owed: true}
  complaint: {title: {zh: 投诉, en: Complaint}, answer_owed: true}
  information: {title: {zh: 信息, en: Information}, answer_owed: false}
levels:
  - {id: top, title: {zh: 上, en: Top}}
  - {id: base, title: {zh: 下, en: Base}, requires: [recorder]}
units:
  - id: house
    level: top
    title: {zh: 总部, en: House}
    children:
      - id: repair
        level: base
        title: {zh: 抢修, en: Repair}
      - id: north
        level: base
        title: {zh: 北, en: North}
        tied_to: [repair]
        paired_with: [south]
      - id: south
        level: base
        title: {zh: 南, en: South}
        escalates_to: [north, house]
default_unit: house
channels:
  - {id: hotline, title: {zh: 热线, en: Hotline}, side: outside}
  - {id: visit, title: {zh: 走访, en: Visit}, side: outside, requires: [place]}
  - {id: mailbox, title: {zh: 信箱, en: Mailbox}, side: inside}
categories:
  - id: power
    title: {zh: 供电, en: Power}
    side: outside
    unit: repair
    keywords: [供电]
    items:
      - {id: outage, title: {zh: 停电, en: Outage}, keywords: [停电, outage]}
      - {id: planned, title: {zh: 计划停电, en: Planned}, keywords: [计划停电], unit: north}
  - id: bills
    title: {zh: 电费, en: Bills}
    side: outside
    items:
      - {id: tariff, title: {zh: 电价, en: Tariff}, keywords: [电价]}
  - id: staff
    title: {zh: 职工, en: Staff}
    side: inside
    keywords: [停电, 食堂]
default_category: {outside: bills, inside: staff}
attributes:
  customer: {title: {zh: 客户, en: Customer}, values: [hospital, school, home]}
  affected: {title: {zh: 户数, en: Affected}, type: integer}
  metered: {title: {zh: 有表, en: Metered}, type: boolean}
mentions:
  danger: {title: {zh: 危险, en: Danger}, keywords: [触电, 着火]}
colours:
  - {id: red, title: {zh: 红, en: Red}, reply: 5, accept: 1, warn: [1, 2]}
  - {id: yellow, title: {zh: 黄, en: Yellow}, reply: 60}
triage:
  - name: danger
    when: {danger: true}
    then: {colour: red, unit: repair}
  - name: hospital
    when: {item: outage, customer: [hospital, school]}
    then: {colour: red, unit: category-unit}
  - name: many
    when: {affected: {at_least: 100, at_most: 1000}}
    then: {colour: red, unit: north}
  - name: not at home
    when: {customer: {not: home, present: true}}
    then: {colour: yellow, unit: category-unit}
  - name: rest
    when: {}
    then: {colour: yellow, unit: station}
evaluators:
  - name: base
    when: {level: base}
    then: {ask: [informant, recorder, station, tied, paired, parent]}
  - name: top
    when: {level: top}
    then: {ask: [informant, children]}
rating:
  link_days: 10
  scale:
    - {id: good, title: {zh: 好, en: Good}, value: 2, satisfied: true}
    - {id: bad, title: {zh: 差, en: Bad}, value: 1, satisfied: false}
reopening: {rounds: 3}
repeats: {days: 30}
escalation: {days: 2}
campaigns:
  - {id: summer, title: {zh: 夏, en: Summer}}
"""


@pytest.fixture
def small_text() -> str:
    return SMALL


@pytest.fixture
def small() -> Iterator[CompiledPolicy]:
    policy = parse_policy("small.yaml", SMALL.encode())
    yield policy
    policy.close()


@pytest.fixture(scope="session")
def xiaoshan() -> CompiledPolicy:
    return load_policy(POLICIES / "xiaoshan.yaml")


@pytest.fixture(scope="session")
def message_board() -> CompiledPolicy:
    return load_policy(POLICIES / "message-board.yaml")


@pytest.fixture
def case() -> Callable[..., Case]:
    """Makes a case of the small policy, with whatever a test wants different."""

    def make(**changes: Any) -> Case:
        given: dict[str, Any] = {
            "id": "c1", "source": "test", "external_id": "1", "channel": "hotline",
            "kind": "problem", "category": "bills", "subject": "电费", "text": "",
            "recorded_at": NOW, "received_at": NOW,
        }  # fmt: skip
        return Case.from_plain(given | changes)

    return make
