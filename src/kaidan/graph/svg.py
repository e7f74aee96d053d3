"""How a graph looks: nodes, edges and labels as one self-contained SVG. Knows no state's fields and no layout rule.

Plain shapes and system fonts, colours as CSS variables for light and dark, every class and id with the prefix
`kg-`, so that the picture can stand in a README as well as inside a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape as html_escape
from unicodedata import combining, east_asian_width

from kaidan.graph.layout import Layout, arrange
from kaidan.graph.levels import Box, Link
from kaidan.graph.model import END, MISSING, START, Edge, Node, Region

MARGIN = 24.0
PADDING = 18.0  # inside a container
HEADER = 50.0  # of a container
BRANCH_GAP = 14.0
ROW_WIDTH_MAX = 1400.0  # branches side by side, before a new row begins
TITLE_WIDTH_MAX = 200.0
NODE_WIDTH_MIN = 104.0
LABEL_WIDTH_MAX = 190.0
LABEL_LINES_MAX = 3
CATCH_LABELS_MAX = 3  # `States.ALL` into one state is said so often; more would only be noise

TITLE_PX, CAPTION_PX, LABEL_PX = 13.0, 11.0, 11.0
LINE_HEIGHT = 1.28

_WIDTHS = (  # of ASCII 32 … 126 in Helvetica, in thousandths of the font size (Adobe's metrics)
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 "
    "556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 "
    "556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_ASCII_WIDTHS = [int(width) / 1000 for width in _WIDTHS.split()]
_WIDER = 1.07  # other system fonts, and half bold, run wider than Helvetica

_ICONS = {  # 16 × 16, drawn with a stroke
    "Task": "M2.3 4.5a1.7 1.7 0 0 1 1.7-1.7h8a1.7 1.7 0 0 1 1.7 1.7v7a1.7 1.7 0 0 1-1.7 1.7H4a1.7 1.7 0 0 1-1.7-1.7z"
    "M5.3 6l2 2-2 2M8.8 10h2.2",
    "Choice": "M8 1.8L14.2 8 8 14.2 1.8 8zM8 5.6v2.6M8 10.4v.1",
    "Wait": "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.9V8l2.1 1.5",
    "Pass": "M2.2 8h10.6M9.4 4.6L12.8 8l-3.4 3.4",
    "Succeed": "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM5.3 8.2l1.9 1.9 3.5-3.9",
    "Fail": "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM6 6l4 4M10 6l-4 4",
    "Parallel": "M2 8h3M5 8c2.4 0 1.8-4.4 4.4-4.4H14M5 8c2.4 0 1.8 4.4 4.4 4.4H14M5 8h9",
    "Map": "M5.6 5.6h7.8v7.8H5.6zM10.4 5.4V2.6H2.6v7.8h2.8",
    MISSING: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.9v3.6M8 10.9v.1",
}
_RETRY = "M12.6 6.2A5 5 0 1 0 13 8M12.9 3.2v3.2H9.7"
_BADGES = {
    "succeeded": "M4.6 8.2l2.3 2.3 4.4-4.9",
    "failed": "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6",
    "caught": "M8 4.4v4.2M8 11v.1",
    "running": "M5 8h.1M8 8h.1M11 8h.1",
    "aborted": "M5 8h6",
    "timed_out": "M8 4.6V8l2.2 1.4",
}

_STYLE = """
.kg{--ink:#1f2328;--muted:#656d76;--line:#8c959f;--surface:#ffffff;--panel:#f6f8fa;--edge:#d0d7de;
--blue:#2563c9;--amber:#9a6700;--violet:#7446c2;--grey:#59636e;--green:#1a7f37;--red:#cf222e;--teal:#0f7584;--indigo:#4f55c8;
font-family:-apple-system,BlinkMacSystemFont,"Segoe UI","Helvetica Neue",Helvetica,Arial,
"Noto Sans","Hiragino Sans","Noto Sans CJK JP",sans-serif}
@media(prefers-color-scheme:dark){.kg{--ink:#e6edf3;--muted:#9198a1;--line:#7d8590;--surface:#161b22;--panel:#0f141a;--edge:#30363d;
--blue:#6ea8ff;--amber:#d9a441;--violet:#b392f0;--grey:#9aa4af;--green:#57c273;--red:#ff7b72;--teal:#4fc3d0;--indigo:#9aa0ff}}
.kg-node{--tone:var(--grey)}.kg-Task{--tone:var(--blue)}.kg-Choice{--tone:var(--amber)}.kg-Wait{--tone:var(--violet)}
.kg-Succeed,.kg-is-succeeded{--tone:var(--green)}.kg-Fail,.kg-Missing,.kg-is-failed,.kg-is-timed_out{--tone:var(--red)}
.kg-Parallel{--tone:var(--teal)}.kg-Map{--tone:var(--indigo)}
.kg-is-running{--tone:var(--blue)}.kg-is-caught{--tone:var(--amber)}.kg-is-aborted{--tone:var(--grey)}
.kg-box{fill:var(--surface);stroke:var(--tone);stroke-opacity:.55;stroke-width:1.2}
.kg-tint{fill:var(--tone);fill-opacity:.06}
.kg-panel{fill:var(--panel);stroke:var(--tone);stroke-opacity:.4;stroke-width:1.2}
.kg-branch{fill:var(--surface);fill-opacity:.75;stroke:var(--edge)}
.kg-Missing .kg-box{stroke-dasharray:4 3}
.kg-status>.kg-box,.kg-status>.kg-panel{stroke-opacity:1;stroke-width:1.8}.kg-status>.kg-tint{fill-opacity:.12}
.kg-status>.kg-panel~.kg-tint{fill-opacity:.07}
.kg-badge{fill:var(--tone)}.kg-mark{fill:none;stroke:var(--surface);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.kg-idle{opacity:.6}.kg-idle .kg-idle{opacity:1}
.kg-icon{fill:none;stroke:var(--tone);stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}
.kg-retry{fill:none;stroke:var(--muted);stroke-width:1.3;stroke-linecap:round;stroke-linejoin:round}
.kg-title{fill:var(--ink);font-size:13px;font-weight:600}.kg-caption{fill:var(--muted);font-size:11px}
.kg-label{fill:var(--muted);font-size:11px;text-anchor:middle}.kg-label-catch{fill:var(--red)}
.kg-line{fill:none;stroke:var(--line);stroke-width:1.3}
.kg-line-catch{stroke:var(--red);stroke-opacity:.75;stroke-dasharray:4 3.5}
.kg-head{fill:var(--line)}.kg-head-catch{fill:var(--red)}
.kg-dot{fill:var(--ink)}.kg-ring{fill:none;stroke:var(--ink);stroke-width:1.4}.kg-heading{fill:var(--ink);font-size:16px;font-weight:650}
""".strip().replace("\n", "")


def render(region: Region, title: str | None, statuses: Mapping[str, str] | None) -> str:
    """The SVG document of a machine's region. `statuses`: state name → `succeeded`, `failed`, `caught`, …"""
    picture = _Painter(statuses).region(region)
    top = MARGIN + (34.0 if title else 0.0)
    heading = (
        f'<text class="kg-heading" x="{_n(MARGIN)}" y="{_n(MARGIN + 14)}">{_escaped(title)}</text>' if title else ""
    )
    width = max(picture.width, _width(title or "", 16.0)) + 2 * MARGIN
    left = (width - picture.width) / 2
    height = picture.height + top + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kg" role="img" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}"><title>{_escaped(title or "State machine")}</title>'
        f"<style>{_STYLE}</style><defs>{_marker('next')}{_marker('catch')}</defs>{heading}"
        f'<g transform="translate({_n(left)} {_n(top)})">{picture.body}</g></svg>\n'
    )


def _marker(kind: str) -> str:
    look = "kg-head kg-head-catch" if kind == "catch" else "kg-head"
    return (
        f'<marker id="kg-arrow-{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7.5" markerHeight="7.5" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="{look}" d="M0 .8L10 5L0 9.2z"/></marker>'
    )


@dataclass(slots=True)
class _Picture:
    width: float
    height: float
    body: str


class _Painter:
    def __init__(self, statuses: Mapping[str, str] | None) -> None:
        self.statuses = statuses

    def region(self, region: Region) -> _Picture:
        pictures = [self.node(node) for node in region.nodes]
        labels = [_label_lines(edge, region) for edge in region.edges]
        links = [
            Link(edge.source, edge.target, edge.kind == "catch", edge.kind == "catch", _label_size(lines))
            for edge, lines in zip(region.edges, labels, strict=True)
        ]
        layout = arrange([Box(picture.width, picture.height) for picture in pictures], links)
        lines = _edges(region, layout, labels)
        nodes = [_at(x, y, picture.body) for (x, y), picture in zip(layout.at, pictures, strict=True)]
        return _Picture(layout.width, layout.height, lines + "".join(nodes))

    def node(self, node: Node) -> _Picture:
        if node.type in (START, END):
            return _dot(node.type)
        return self.container(node) if node.regions else self.simple(node)

    def simple(self, node: Node) -> _Picture:
        title, caption = (
            _wrap(node.name, TITLE_PX, TITLE_WIDTH_MAX, 2),
            _wrap(node.caption, CAPTION_PX, 190.0, 1),
        )
        side = 24.0 if node.type == "Choice" else 14.0
        text = max([_width(line, TITLE_PX) for line in title] + [_width(line, CAPTION_PX) for line in caption])
        width = max(NODE_WIDTH_MIN, text + 24 + 2 * side + (14 if node.retries else 0))
        height = 18 + LINE_HEIGHT * (TITLE_PX * len(title) + CAPTION_PX * len(caption)) + (2 if caption else 4)
        shape = _shape(node.type, width, height)
        left = side + 24
        body = shape + _icon(node.type, side, (height - 16) / 2) + _lines(title, caption, left, height)
        if node.retries:
            body += _retry(width - side - 9, 7)
        return _Picture(width, height, self.group(node, body, width))

    def container(self, node: Node) -> _Picture:
        inner = self.branches(node)
        title, caption = (
            _wrap(node.name, TITLE_PX, max(TITLE_WIDTH_MAX, inner.width), 1),
            _wrap(node.caption, CAPTION_PX, max(200.0, inner.width), 1),
        )
        text = max(
            _width(line, size) for lines, size in ((title, TITLE_PX), (caption, CAPTION_PX)) for line in lines or [""]
        )
        width = max(inner.width, text + 44) + 2 * PADDING
        height = HEADER + inner.height + PADDING
        body = f'<rect class="kg-panel" width="{_n(width)}" height="{_n(height)}" rx="12"/>'
        if node.type == "Map":
            body = _sheets(width, height) + body
        body += f'<rect class="kg-tint" width="{_n(width)}" height="{_n(height)}" rx="12"/>'
        body += _icon(node.type, 14, (HEADER - 16) / 2) + _lines(title, caption, 38, HEADER)
        if node.retries:
            body += _retry(width - 24, 10)
        body += _at((width - inner.width) / 2, HEADER, inner.body)
        return _Picture(width, height, self.group(node, body, width))

    def branches(self, node: Node) -> _Picture:
        pictures = [self.region(region) for region in node.regions]
        if len(pictures) == 1:
            return pictures[0]
        pad = 14.0
        rows: list[list[_Picture]] = [[]]
        for picture in pictures:
            used = sum(other.width + 2 * pad + BRANCH_GAP for other in rows[-1])
            if rows[-1] and used + picture.width > ROW_WIDTH_MAX:
                rows.append([])
            rows[-1].append(picture)
        return _rows(rows, pad)

    def group(self, node: Node, body: str, width: float) -> str:
        status = self.statuses.get(node.name) if self.statuses is not None else None
        looks = ["kg-node", f"kg-{re.sub('[^A-Za-z]', '', node.type)}"]
        if status is not None:
            looks += ["kg-status", f"kg-is-{re.sub('[^a-z_]', '', status.lower())}"]
            body += _badge(status.lower(), width)
        elif self.statuses is not None:
            looks.append("kg-idle")
        return f'<g class="{" ".join(looks)}"><title>{_escaped(node.detail)}</title>{body}</g>'


def _rows(rows: list[list[_Picture]], pad: float) -> _Picture:
    """Branches side by side in panels of one height, row below row."""
    width = max(sum(picture.width + 2 * pad + BRANCH_GAP for picture in row) - BRANCH_GAP for row in rows)
    y, body = 0.0, ""
    for row in rows:
        height = max(picture.height for picture in row) + 2 * pad
        used = sum(picture.width + 2 * pad + BRANCH_GAP for picture in row) - BRANCH_GAP
        x = (width - used) / 2
        for picture in row:
            panel = f'<rect class="kg-branch" width="{_n(picture.width + 2 * pad)}" height="{_n(height)}" rx="8"/>'
            body += _at(x, y, panel + _at(pad, pad, picture.body))
            x += picture.width + 2 * pad + BRANCH_GAP
        y += height + BRANCH_GAP
    return _Picture(width, y - BRANCH_GAP, body)


# Parts of a node


def _shape(kind: str, width: float, height: float) -> str:
    if kind == "Choice":
        point = 13.0
        outline = (
            f"M{_n(point)} 0H{_n(width - point)}L{_n(width)} {_n(height / 2)}L{_n(width - point)} {_n(height)}"
            f"H{_n(point)}L0 {_n(height / 2)}z"
        )
        drawn = f'd="{outline}" stroke-linejoin="round"'
        return f'<path class="kg-box" {drawn}/><path class="kg-tint" {drawn}/>'
    radius = height / 2 if kind in ("Succeed", "Fail", "Wait") else 9.0
    drawn = f'width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}"'
    return f'<rect class="kg-box" {drawn}/><rect class="kg-tint" {drawn}/>'


def _sheets(width: float, height: float) -> str:
    """What lies behind a Map: more of the same."""
    return f'<rect class="kg-panel" x="5" y="5" width="{_n(width)}" height="{_n(height)}" rx="12" opacity=".6"/>'


def _icon(kind: str, x: float, y: float) -> str:
    path = _ICONS.get(kind, _ICONS[MISSING])
    return f'<path class="kg-icon" transform="translate({_n(x)} {_n(y)})" d="{path}"/>'


def _retry(x: float, y: float) -> str:
    place = f'transform="translate({_n(x)} {_n(y)}) scale(.68)"'
    return f'<path class="kg-retry" {place} d="{_RETRY}"><title>retries</title></path>'


def _badge(status: str, width: float) -> str:
    path = _BADGES.get(status)
    if path is None:
        return ""
    return _at(width - 10, -8, f'<circle class="kg-badge" cx="8" cy="8" r="8"/><path class="kg-mark" d="{path}"/>')


def _dot(kind: str) -> _Picture:
    if kind == START:
        return _Picture(14, 14, '<circle class="kg-dot" cx="7" cy="7" r="6"/>')
    return _Picture(
        16, 16, '<circle class="kg-ring" cx="8" cy="8" r="7"/><circle class="kg-dot" cx="8" cy="8" r="3.8"/>'
    )


def _lines(title: list[str], caption: list[str], x: float, height: float) -> str:
    total = LINE_HEIGHT * (TITLE_PX * len(title) + CAPTION_PX * len(caption))
    y = (height - total) / 2
    body = ""
    for lines, size, look in ((title, TITLE_PX, "kg-title"), (caption, CAPTION_PX, "kg-caption")):
        for line in lines:
            body += f'<text class="{look}" x="{_n(x)}" y="{_n(y + size)}">{_escaped(line)}</text>'
            y += size * LINE_HEIGHT
    return body


def _at(x: float, y: float, body: str) -> str:
    return f'<g transform="translate({_n(x)} {_n(y)})">{body}</g>'


def _n(number: float) -> str:
    return f"{number + 0.0:.1f}".removesuffix(".0")


# Edges


def _edges(region: Region, layout: Layout, labels: list[list[str]]) -> str:
    body = ""
    for edge, route, lines in zip(region.edges, layout.routes, labels, strict=True):
        kind = "catch" if edge.kind == "catch" else "next"
        look = "kg-line kg-line-catch" if kind == "catch" else "kg-line"
        head = f' marker-end="url(#kg-arrow-{kind})"' if route.arrow else ""
        said = f"<title>{_escaped(' or '.join(edge.labels))}</title>" if edge.labels else ""
        body += f'<path class="{look}" d="{route.path}"{head}>{said}</path>'
        if route.label and lines:
            body += _label(lines, route.label, kind, said)
    return body


def _label(lines: list[str], centre: tuple[float, float], kind: str, said: str) -> str:
    x, y = centre
    look = "kg-label kg-label-catch" if kind == "catch" else "kg-label"
    top = y - LABEL_PX * LINE_HEIGHT * len(lines) / 2 + LABEL_PX * 0.98
    spans = "".join(
        f'<tspan x="{_n(x)}" y="{_n(top + i * LABEL_PX * LINE_HEIGHT)}">{_escaped(line)}</tspan>'
        for i, line in enumerate(lines)
    )
    return f'<text class="{look}">{said}{spans}</text>'


def _label_lines(edge: Edge, region: Region) -> list[str]:
    """The words on an edge: each rule on its lines, and how many more there are."""
    if edge.kind == "catch" and set(edge.labels) == {"States.ALL"}:
        alike = sum(e.target == edge.target and e.kind == "catch" for e in region.edges)
        if alike > CATCH_LABELS_MAX:
            return []
    labels = list(dict.fromkeys(edge.labels))
    if len(labels) <= 1:
        return _wrap(labels[0], LABEL_PX, LABEL_WIDTH_MAX, 2) if labels else []
    shown = [_wrap(label, LABEL_PX, LABEL_WIDTH_MAX, 1)[0] for label in labels[:LABEL_LINES_MAX]]
    if len(labels) > LABEL_LINES_MAX:
        shown[-1] = f"or {len(labels) - LABEL_LINES_MAX + 1} others"
    return shown


def _label_size(lines: list[str]) -> tuple[float, float] | None:
    if not lines:
        return None
    return max(_width(line, LABEL_PX) for line in lines) + 8, LABEL_PX * LINE_HEIGHT * len(lines) + 2


# Text

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def _escaped(text: str) -> str:
    return html_escape(_NOT_XML.sub("\ufffd", text))


def _width(text: str, size: float) -> float:
    return sum(map(_char_width, text)) * size * _WIDER


def _char_width(char: str) -> float:
    code = ord(char)
    if 32 <= code < 127:
        return _ASCII_WIDTHS[code - 32]
    if combining(char):
        return 0.0
    return 1.0 if east_asian_width(char) in "WF" else 0.6


_BREAKS = re.compile(r"(?<=[ _\-/:·,])|(?<=[^$]\.)|(?<=[a-z0-9])(?=[A-Z])|(?<=[\u3000-\u9fff])")


def _wrap(text: str, size: float, width_max: float, lines_max: int) -> list[str]:
    """Text in lines, broken between words (and inside camelCase); what does not fit ends in `…`."""
    lines = [""]
    for piece in _BREAKS.split(" ".join(text.split())):
        if lines[-1] and _width(lines[-1] + piece.rstrip(), size) > width_max:
            lines.append("")
        lines[-1] += piece
    lines[lines_max - 1 :] = ["".join(lines[lines_max - 1 :])]
    return [_cut(line.strip(), size, width_max) for line in lines if line.strip()]


def _cut(line: str, size: float, width_max: float) -> str:
    if _width(line, size) <= width_max:
        return line
    while line and _width(line + "…", size) > width_max:
        line = line[:-1]
    return line.rstrip() + "…"
