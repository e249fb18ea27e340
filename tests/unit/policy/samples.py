"""Sections that say more than a list of rows, to be put into the small policy."""

from __future__ import annotations

PRIORITY = """
  hit: priority
  rows:
    - {name: rest, when: {}, then: {colour: yellow, unit: station}}
    - {name: danger, when: {danger: true}, then: {colour: red, unit: repair}}
"""

UNIQUE = """
  hit: unique
  rows:
    - {name: few, when: {affected: {between: [1, 10]}}, then: {colour: yellow, unit: north}}
    - {name: many, when: {affected: {at_least: 10}}, then: {colour: red, unit: repair}}
  otherwise: {colour: yellow, unit: station}
"""

ROUTED = """
  - {name: danger, when: {danger: true}, then: {colour: red, unit: repair}}
  - {name: rest, when: {}, then: {colour: yellow}}
routing:
  - {name: south, when: {station: south, colour: yellow}, then: {unit: north}}
  - {name: by matter, when: {}, then: {unit: category-unit}}
"""

COUNTS = """
  again: {title: {zh: 又, en: Again}, of: same-matter, days: 30}
  idle: {title: {zh: 闲, en: Idle}, of: same-informant, days: 7}
"""

COUNTED = """
  - {name: often, when: {again: {at_least: 3}}, then: {colour: red, unit: repair}}
  - {name: rest, when: {}, then: {colour: yellow, unit: station}}
"""

EVALUATORS = """
  hit: {hit}
  rows:
    - {{name: base, when: {{level: base}}, then: {{ask: [parent, informant]}}}}
    - {{name: hotline, when: {{channel: hotline}}, then: {{ask: [recorder, informant]}}}}
  otherwise: {{ask: [children]}}
"""

ESCALATION = """
  days: 4
  hit: {hit}
  rows:
    - {{name: red, when: {{colour: red}}, then: {{days: 1, to: [house]}}}}
    - name: base
      when: {{unit: {{within: [north, south]}}}}
      then: {{days: 2, to: [repair, south]}}
"""

RICH = """
  hit: any
  rows:
    - name: often
      when: {again: {at_least: 3}, station: {within: house, not: repair}}
      then: {colour: red, unit: repair}
    - name: again
      when: {again: {between: [3, 9]}, item: {within: [power, bills]}}
      then: {colour: red, unit: repair}
  otherwise: {colour: yellow}
routing:
  hit: unique
  rows:
    - {name: south, when: {station: {within: south}, colour: yellow}, then: {unit: north}}
  otherwise: {unit: category-unit}
"""


def rich(small: str) -> str:
    """The small policy with everything that the language has."""
    text = with_section(with_section(small, "counts", COUNTS), "triage", RICH)
    text = with_section(text, "evaluators", EVALUATORS.format(hit="collect"))
    return with_section(text, "escalation", ESCALATION.format(hit="rule-order"))


def with_section(whole: str, section: str, text: str) -> str:
    """The file with a whole section replaced, or added before the rating."""
    before, _, rest = whole.partition(f"\n{section}:")
    if not rest:
        before, _, rest = whole.partition("\nrating:")
        return f"{before}\n{section}:{text}\nrating:{rest}"
    lines = rest.split("\n")
    end = next(n for n, line in enumerate(lines) if n and line and line[0] not in " -")
    return f"{before}\n{section}:{text}\n" + "\n".join(lines[end:])
