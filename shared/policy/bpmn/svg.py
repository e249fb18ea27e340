"""The picture as SVG: one file, readable on light and on dark pages, with its text as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from shared.policy.bpmn.icons import has_corner, icon
from shared.policy.bpmn.picture import Box, Edge, Lane, Node, Note, Picture, Point, Pool
from shared.policy.bpmn.text import LINE, at_most, clip, wrap

FONT = "ui-sans-serif, system-ui, 'Segoe UI', 'Noto Sans CJK SC', 'PingFang SC', sans-serif"

STYLE = """
svg{--paper:#fbfaf7;--lane:#ffffff;--head:#e8edf2;--ink:#1d3446;--soft:#5b7285;--line:#7d93a5;
--shape:#f3f7fb;--edge:#1f6fb2;--judge:#c2542d}
@media (prefers-color-scheme:dark){svg{--paper:#12181f;--lane:#19222b;--head:#26333f;--ink:#e4edf5;
--soft:#a4b6c5;--line:#6f8799;--shape:#22303c;--edge:#6fb1e8;--judge:#eb9572}}
text{fill:var(--ink)}
.paper{fill:var(--paper)}.lane{fill:var(--lane);stroke:var(--line);stroke-width:.8}
.head{fill:var(--head);stroke:var(--line);stroke-width:.8}
.shape{fill:var(--shape);stroke:var(--edge);stroke-width:1.5}
.gate{fill:var(--shape);stroke:var(--judge);stroke-width:1.5}
.end{fill:var(--shape);stroke:var(--edge);stroke-width:3.5}
.thin{fill:none;stroke:var(--edge);stroke-width:1}.dash{stroke-dasharray:4 3}
.mark{fill:none;stroke:var(--soft);stroke-width:1.2}.solid{fill:var(--edge);stroke:none}
.flow{fill:none;stroke:var(--soft);stroke-width:1.3}.tip{fill:var(--soft)}
.soft{fill:var(--soft)}.note{fill:none;stroke:var(--line);stroke-width:1}
""".replace("\n", "")


def to_svg(picture: Picture) -> str:
    """The whole file, ending with a line break."""
    width, height = picture.width, picture.height
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'lang="{picture.language}" aria-labelledby="t d" font-family="{FONT}">'
        ),
        f'<title id="t">{escape(picture.title)}</title>',
        f'<desc id="d">{escape(picture.description)}</desc>',
        f"<style>{STYLE}</style>",
        (
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" orient="auto" '
            'markerWidth="7" markerHeight="7"><path class="tip" d="M0 1 L10 5 L0 9 z"/>'
            "</marker></defs>"
        ),
        f'<rect class="paper" width="{width}" height="{height}" rx="14"/>',
        f'<text x="20" y="44" font-size="22" font-weight="700">{escape(picture.title)}</text>',
    ]
    for pool in picture.pools:
        parts += _pool(pool)
    return "\n".join([*parts, "</svg>", ""])


def _pool(pool: Pool) -> Iterator[str]:
    yield _rect(pool.box, "lane", 4)
    for lane in pool.lanes:
        yield from _lane(lane)
    head = Box(pool.box.x, pool.box.y, 30, pool.box.height)
    yield _rect(head, "head", 4)
    yield _upright(pool.name, head, 14)
    for node in sorted(pool.nodes, key=lambda node: (bool(node.inside), bool(node.attached_to))):
        if node.tag == "subProcess":
            yield from _node(node)
    for edge in pool.edges:
        yield _line(edge.points, 'class="flow" marker-end="url(#tip)"')
    for note in pool.notes:
        yield from _note(note)
    for node in sorted(pool.nodes, key=lambda node: bool(node.attached_to)):
        if node.tag != "subProcess":
            yield from _node(node)
    for edge in pool.edges:
        yield from _edge_name(edge)


def _lane(lane: Lane) -> Iterator[str]:
    yield _rect(lane.box, "lane", 0)
    head = Box(lane.box.x, lane.box.y, 30, lane.box.height)
    yield _rect(head, "head", 0)
    yield _upright(lane.name, head, 12)


def _node(node: Node) -> Iterator[str]:
    yield f"<g><title>{escape(_tooltip(node))}</title>"
    x, y = node.box.middle
    if node.tag == "exclusiveGateway":
        half = node.box.width // 2
        rhomb = f"M{x} {y - half} l{half} {half} l-{half} {half} l-{half} -{half} z"
        yield f'<path class="gate" d="{rhomb}"/>'
    elif node.tag.endswith("Event"):
        yield from _event(node)
    else:
        yield from _activity(node)
    yield from icon(node)
    if node.label is not None:
        yield from _lines(node.name, node.label, 11, "middle" if _centred(node) else "start")
    yield "</g>"


def _centred(node: Node) -> bool:
    """Whether a text stands above or below its shape; else it begins to the right of it."""
    return node.label is not None and abs(node.label.middle[0] - node.box.middle[0]) <= 2


def _event(node: Node) -> Iterator[str]:
    x, y = node.box.middle
    shape = "end" if node.tag == "endEvent" else "shape"
    dash = " dash" if node.tag == "boundaryEvent" else ""
    yield f'<circle class="{shape}{dash}" cx="{x}" cy="{y}" r="18"/>'
    if node.tag not in {"startEvent", "endEvent"}:
        yield f'<circle class="thin{dash}" cx="{x}" cy="{y}" r="14"/>'


def _activity(node: Node) -> Iterator[str]:
    box = node.box
    dash = " dash" if node.by_event else ""
    yield _rect(box, f"shape{dash}", 9)
    if node.tag == "subProcess":
        yield (
            f'<text class="soft" x="{box.x + 14}" y="{box.y + 17}" font-size="11" '
            f'font-weight="600">{escape(clip(node.name, box.width - 28, 11))}</text>'
        )
        return
    if node.tint:
        yield (
            f'<rect x="{box.x}" y="{box.y}" width="10" height="{box.height}" rx="5" '
            f'fill="{node.tint}"/>'
        )
        yield _rect(Box(box.x + 3, box.y + 3, box.width - 6, box.height - 6), "thin", 7)
    size = 13 if node.tint else 11.5
    # below the sign in the corner, where there is one
    low = 5 if has_corner(node) and not node.loops else 0
    aside = 16 if node.tint else 8
    room = Box(box.x + aside, box.y + low, box.width - 2 * aside, box.height)
    yield from _lines(node.name, room, size, "middle", True)


def _tooltip(node: Node) -> str:
    return f"{node.name}: {node.doc}" if node.doc else node.name


def _note(note: Note) -> Iterator[str]:
    box = note.box
    yield _line(note.points, 'class="note dash"')
    yield f'<path class="note" d="M{box.x + 8} {box.y} H{box.x} V{box.bottom} H{box.x + 8}"/>'
    yield from _lines(
        note.text, Box(box.x + 7, box.y + 5, box.width - 7, box.height), 10.5, "start"
    )


def _edge_name(edge: Edge) -> Iterator[str]:
    if edge.name and edge.label is not None:
        yield from _lines(edge.name, edge.label, 11, "start", soft=True)


def _lines(
    text: str, box: Box, size: float, anchor: str, middle: bool = False, *, soft: bool = False
) -> Iterator[str]:
    """Wrapped text from the top of the box, or in its middle."""
    step = size * LINE
    lines = at_most(wrap(text, box.width, size), max(1, int(box.height / step)))
    x = box.middle[0] if anchor == "middle" else box.x
    top = box.y + size if not middle else box.middle[1] - step * (len(lines) - 1) / 2 + size * 0.36
    style = ' class="soft"' if soft else ""
    for number, line in enumerate(lines):
        yield (
            f'<text{style} x="{x}" y="{top + number * step:.1f}" font-size="{size:g}" '
            f'text-anchor="{anchor}">{escape(line)}</text>'
        )


def _upright(text: str, box: Box, size: int) -> str:
    x, y = box.middle
    return (
        f'<text transform="translate({x + size // 3} {y}) rotate(-90)" text-anchor="middle" '
        f'font-size="{size}" font-weight="600">{escape(clip(text, box.height - 12, size))}</text>'
    )


def _rect(box: Box, style: str, radius: int) -> str:
    round_ = f' rx="{radius}"' if radius else ""
    return (
        f'<rect class="{style}" x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}"{round_}/>'
    )


def _line(points: Sequence[Point], attributes: str) -> str:
    path = " ".join(f"{'L' if number else 'M'}{x} {y}" for number, (x, y) in enumerate(points))
    return f'<path {attributes} d="{path}"/>'
