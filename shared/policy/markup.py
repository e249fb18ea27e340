"""XML by the standard library: written with the prefixes that its readers know, read without traps.

Reading refuses document types and entities, which are never needed here and can make a small file
endless or reach for other files, and what is too large or too deep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

MAX_BYTES = 5_000_000
MAX_DEPTH = 60
MAX_ELEMENTS = 200_000

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


class NotReadable(Exception):
    """Text that is no XML, or XML that is not read here; the message says where and why."""


def element(
    tag: str, attributes: Mapping[str, str | int | None] | None = None, *children: Any
) -> Any:
    """An element with a prefixed tag; attributes of None are left out, a text is its content."""
    given = {
        name: _clean(f"{value}") for name, value in (attributes or {}).items() if value is not None
    }
    made = ET.Element(tag, given)
    for child in children:
        if isinstance(child, str):
            made.text = _clean(child)
        elif child is not None:
            made.append(child)
    return made


def write(root: Any) -> str:
    """The document, indented, ending with a line break."""
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def read(content: bytes) -> Any:
    """The root element; tags are written `{namespace}name`.

    Raises:
        NotReadable: the content is no XML, has a document type, or is too large or too deep.
    """
    if len(content) > MAX_BYTES:
        raise NotReadable(f"The file has {len(content):,} bytes; at most {MAX_BYTES:,} are read.")
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    guard = _Guard(builder, parser)
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotReadable(f"This is not XML: {error}.") from error
    return guard.builder.close()


class _Guard:
    """Builds the tree from the parser's events, and stops at what is not read here."""

    def __init__(self, builder: ET.TreeBuilder, parser: Any) -> None:
        self.builder, self._parser = builder, parser
        self._depth = self._elements = 0
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = builder.data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            self._stop(f"Elements are nested more than {MAX_DEPTH} deep")
        if self._elements > MAX_ELEMENTS:
            self._stop(f"There are more than {MAX_ELEMENTS:,} elements")
        named = {_qualified(name): value for name, value in attributes.items()}
        self.builder.start(_qualified(tag), named)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self.builder.end(_qualified(tag))

    def _doctype(self, *_: Any) -> None:
        self._stop("Document types and entities are not read here: remove them")

    def _stop(self, why: str) -> None:
        raise NotReadable(f"Line {self._parser.CurrentLineNumber}: {why}.")


def _qualified(name: str) -> str:
    return f"{{{name}" if "}" in name else name
