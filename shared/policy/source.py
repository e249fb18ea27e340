"""Reading YAML that a stranger may have written: plain data, and the line of every part of it.

The text is read event by event, so that depth, size and forbidden features are noticed before
anything is built. What YAML 1.1 guesses (`no` as false, `1:30` as 90) is not guessed here: plain
scalars follow the core schema of YAML 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.domain.errors import PolicyError, Problem

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_PROBLEMS = 200
"""Further problems are counted, not listed."""

Path = tuple[str | int, ...]
Mark = tuple[int, int]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


@dataclass
class Source:
    """A policy file's data, with what is needed to point into it."""

    file: str
    data: Any = None
    marks: dict[Path, Mark] = field(default_factory=dict)
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict)
    """By place and message: what several checks find is told once."""

    def report(self, path: Path, code: str, message: str) -> None:
        """Note a problem at the innermost part of `path` that stands in the file."""
        known = path
        while known and known not in self.marks:
            known = known[:-1]
        line, column = self.marks.get(known, (1, 1))
        where = f"line {line}, column {column}"
        name = dotted(path)
        self._add(f"{where}: {name}" if name else where, code, message)

    def report_at(self, mark: Mark, code: str, message: str) -> None:
        """Note a problem at a place of the text."""
        self._add(f"line {mark[0]}, column {mark[1]}", code, message)

    def _add(self, where: str, code: str, message: str) -> None:
        self.problems.setdefault((where, message), Problem(field=where, code=code, message=message))

    def error(self) -> PolicyError:
        """All problems, in the order of the lines."""
        ordered = sorted(self.problems.values(), key=_line)
        rest = len(ordered) - MAX_PROBLEMS
        if rest > 0:
            message = f"There are {rest} more problems: mend these first."
            ordered = [*ordered[:MAX_PROBLEMS], Problem(field="", code="more", message=message)]
        return PolicyError(self.file, ordered)


def dotted(path: Path) -> str:
    """A path as it is written: `triage[3].then.unit`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def read(file: str, content: bytes) -> Source:
    """The data of a policy file.

    Raises:
        PolicyError: it is not YAML, or uses what a policy file must not use.
    """
    source = Source(file)
    text = _decode(source, content)
    if text is not None:
        try:
            _Reader(source).read(_events(text))
        except _Stop:
            pass
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            source.report_at(place, "not-yaml", f"This is not YAML: {error.problem}.")
        except yaml.YAMLError as error:
            source.report_at((1, 1), "not-yaml", f"This is not YAML: {error}.")
    if not source.problems and not isinstance(source.data, dict):
        source.report_at((1, 1), "not-a-mapping", "A policy file is a mapping of its sections.")
    if source.problems:
        raise source.error()
    return source


def _line(problem: Problem) -> tuple[int, int]:
    numbers = re.match(r"line (\d+), column (\d+)", problem.field)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def _decode(source: Source, content: bytes) -> str | None:
    if len(content) > MAX_BYTES:
        message = f"The file has {len(content):,} bytes; at most {MAX_BYTES:,} are read."
        source.report_at((1, 1), "too-large", message)
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        source.report_at((line, 1), "not-utf-8", "This is not UTF-8: save the file as UTF-8.")
        return None
    control = _CONTROL.search(text)
    if control is None:
        return text
    before = text[: control.start()]
    mark = (before.count("\n") + 1, control.start() - before.rfind("\n"))
    message = f"Here stands the control character U+{ord(control[0]):04X}: remove it."
    source.report_at(mark, "control-character", message)
    return None


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


class _Stop(Exception):
    """The file cannot be read any further."""


class _Reader:
    """Builds data from events with a stack of its own: a deep file cannot exhaust Python's."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open: list[tuple[Any, Path]] = []
        self._keys: list[str | None] = []
        """The key that waits for its value, one for each open mapping or list."""
        self._nodes = 0
        self._documents = 0

    def read(self, events: Iterator[Any]) -> None:
        for event in events:
            mark = (event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._stop(mark, "two-documents", "A policy file is one YAML document.")
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
            elif isinstance(event, yaml.NodeEvent):
                self._node(event, mark)

    def _node(self, event: Any, mark: Mark) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(mark, "too-large", f"The file has more than {MAX_NODES:,} entries.")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            message = "Anchors and aliases are not read here: write the entry out."
            self._stop(mark, "anchor", message)
        if event.tag is not None and event.tag != "!":
            self._stop(
                mark, "tag", f"Tags such as {event.tag[:40]} are not read here: leave it out."
            )
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, mark)
        else:
            if len(self._open) >= MAX_DEPTH:
                self._stop(mark, "too-deep", f"Entries are nested more than {MAX_DEPTH} deep.")
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            path = self._place(value, mark)
            self._open.append((value, path))
            self._keys.append(None)

    def _scalar(self, event: Any, mark: Mark) -> None:
        if not self._open or isinstance(self._open[-1][0], list) or self._keys[-1] is not None:
            self._place(_value(event), mark)
            return
        container, path = self._open[-1]
        key = event.value
        if key in container:
            first = self._source.marks[(*path, key)][0]
            message = f"The key {key!r} stands here a second time, first in line {first}."
            self._stop(mark, "duplicate-key", message)
        self._keys[-1] = key
        self._source.marks[(*path, key)] = mark

    def _place(self, value: Any, mark: Mark) -> Path:
        if not self._open:
            self._source.data = value
            return ()
        container, path = self._open[-1]
        if isinstance(container, list):
            path = (*path, len(container))
            container.append(value)
            self._source.marks[path] = mark
            return path
        key = self._keys[-1]
        if key is None:
            self._stop(mark, "bad-key", "A key is a single word or text.")
        self._keys[-1] = None
        container[key] = value
        path = (*path, str(key))
        if not isinstance(value, dict | list):
            self._source.marks[path] = mark
        return path

    def _stop(self, mark: Mark, code: str, message: str) -> None:
        self._source.report_at(mark, code, message)
        raise _Stop


def _value(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
