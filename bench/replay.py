"""Measure a replay: `python -m bench.replay [--cases N]` tries a candidate on generated cases.

Prints the cases, the seconds, and how many changed; the register is generated beforehand.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
BOARD = ROOT / "examples" / "policies" / "message-board.yaml"

MAPPING = """\
source: generated
policy: {policy}
time_zone: Asia/Shanghai
constants: {{channel: message-board}}
columns: {{id: external_id, title: subject, at: recorded_at, words: text, by: informant.ref,
  answer: answer.text, answered: answer.at}}
"""

MATTERS = (
    "学校收费",
    "停电",
    "拖欠工资",
    "污水直排",
    "房产证",
    "公交线路",
    "拆迁补偿",
    "医院收费",
    "低保",
)
FILLER = "请问什么时候能够解决，希望有关部门尽快处理，我们多次反映没有结果，谢谢。"


def main() -> None:
    """Generate, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        register, mapping = folder / "cases.jsonl", folder / "mapping.yaml"
        candidate = folder / "candidate.yaml"
        mapping.write_text(MAPPING.format(policy=BOARD), encoding="utf-8")
        candidate.write_text(_candidate(), encoding="utf-8")
        with register.open("w", encoding="utf-8") as file:
            file.writelines(_case(number) for number in range(given.cases))
        command = [
            *(sys.executable, "-c", "from services.cli.main import app; app()"),
            *("policy", "replay", f"{candidate}", "--cases", f"{register}"),
            *("--mapping", f"{mapping}", "--json"),
        ]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    found = json.loads(done.stdout)
    print(f"{found['cases']:,} cases in {found['seconds']} s, {found['changed']:,} changed")


def _candidate() -> str:
    row = (
        "  - {name: schools, when: {category: education}, then: {colour: red, unit: category-unit}}"
    )
    return BOARD.read_text(encoding="utf-8").replace("triage:\n", f"triage:\n{row}\n", 1)


def _case(number: int) -> str:
    chance = random.Random(number)
    at = datetime(2019, 1, 7, 9) + timedelta(minutes=5 * number % 500_000)  # noqa: DTZ001 - local
    row = {
        "id": f"{number}",
        "title": f"关于{chance.choice(MATTERS)}的问题",
        "words": f"{chance.choice(MATTERS)}。{FILLER * chance.randrange(1, 10)}",
        "at": f"{at:%Y-%m-%d %H:%M}",
        "by": f"citizen {number % 9999}",
    }
    if number % 4:
        answered = at + timedelta(days=chance.randrange(40))
        row |= {"answer": "已处理。", "answered": f"{answered:%Y-%m-%d %H:%M}"}
    return f"{json.dumps(row, ensure_ascii=False)}\n"


if __name__ == "__main__":
    main()
