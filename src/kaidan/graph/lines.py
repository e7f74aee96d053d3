"""y, and the lines themselves as SVG path data: upright beside boxes, curved between levels.

A link against the flow leaves and enters its boxes at the side where nothing stands in its way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kaidan.graph.levels import LOOP_WIDTH, Graph

LEVEL_GAP = 36.0  # between levels of boxes
LABEL_GAP = 17.0  # between a level of labels and the levels above and below it
LEVEL_GAP_MAX = 72.0
SPREAD = 0.055  # how much a level gap grows per pixel that a line must cross sideways
TURN = 9.0  # radius of a corner


@dataclass(slots=True)
class Route:
    """A line as SVG path data. One that joins another before its target has no arrow of its own.

    `label` is the centre of the label.
    """

    path: str = ""
    arrow: bool = True
    label: tuple[float, float] | None = None


def place_y(graph: Graph) -> None:
    heights = [max((graph.points[p].height for p in level), default=0.0) for level in graph.levels]
    labels = [any(graph.points[p].label for p in level) for level in graph.levels]
    y = 0.0
    for number, level in enumerate(graph.levels):
        if number:
            y += _gap_above(graph, number, labels)
        graph.tops.append(y)
        for point in level:
            graph.points[point].y = y
        y += heights[number]
        graph.bottoms.append(y)


def _gap_above(graph: Graph, number: int, labels: list[bool]) -> float:
    gap = LABEL_GAP if labels[number] or labels[number - 1] else LEVEL_GAP
    widest = max(
        (abs(graph.points[a].x - graph.points[b].x) for b in graph.levels[number] for a in graph.up[b]),
        default=0.0,
    )
    return min(LEVEL_GAP_MAX, gap + max(0.0, widest - 120) * SPREAD)


def draw_lines(graph: Graph) -> list[Route]:
    """The longest link to a box is drawn to its arrow; others join it where their points meet."""
    routes = [Route() for _ in graph.links]
    drawn: set[int] = set()
    for index in sorted(range(len(graph.links)), key=lambda i: -len(graph.chains[i])):
        link, chain = graph.links[index], graph.chains[index]
        if link.source == link.target:
            routes[index] = _loop_route(graph, chain)
        else:
            routes[index] = _route(graph, chain, index in graph.backward, drawn)
        drawn.update(point for point in chain if graph.points[point].shared)
    return routes


def _route(graph: Graph, chain: list[int], backward: bool, drawn: set[int]) -> Route:
    pen = _Pen()
    parted = max((at for at, p in enumerate(chain) if p in drawn and graph.points[p].shared == "from"), default=0)
    if parted:
        fork = graph.points[chain[parted]]
        pen.move(fork.x, graph.bottoms[fork.level])
    else:
        _leave(graph, chain, pen, backward)
    arrow = _follow(graph, chain[parted:], pen, backward, drawn)
    label = next((graph.points[p] for p in chain if graph.points[p].label), None)
    centre = (label.x, (graph.tops[label.level] + graph.bottoms[label.level]) / 2) if label else None
    return Route(pen.path(), arrow, centre)


@dataclass(slots=True)
class _Pen:
    """Writes path data: lines and curves that begin and end upright."""

    parts: list[str] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    def move(self, x: float, y: float) -> None:
        self.parts.append(f"M{_n(x)} {_n(y)}")
        self.x, self.y = x, y

    def line(self, x: float, y: float) -> None:
        if abs(x - self.x) > 0.05 or abs(y - self.y) > 0.05:
            self.parts.append(f"L{_n(x)} {_n(y)}")
            self.x, self.y = x, y

    def curve(self, x: float, y: float) -> None:
        if abs(x - self.x) < 0.5:
            self.line(x, y)
            return
        middle = (self.y + y) / 2
        self.bend(self.x, middle, x, middle, x, y)

    def bend(self, ax: float, ay: float, bx: float, by: float, x: float, y: float) -> None:
        self.parts.append(f"C{_n(ax)} {_n(ay)} {_n(bx)} {_n(by)} {_n(x)} {_n(y)}")
        self.x, self.y = x, y

    def path(self) -> str:
        return "".join(self.parts)


def _n(number: float) -> str:
    return f"{number + 0.0:.1f}".removesuffix(".0")


def _leave(graph: Graph, chain: list[int], pen: _Pen, backward: bool) -> None:
    source, first = graph.points[chain[0]], graph.points[chain[1]]
    bottom = source.y + source.height
    if not backward:
        pen.move(source.x, bottom)
        pen.line(source.x, graph.bottoms[source.level])
    elif _is_clear(graph, chain[0], chain[1]):
        side = 1.0 if first.x > source.x else -1.0
        y = source.y + source.height / 2
        pen.move(source.x + side * source.width / 2, y)
        pen.line(first.x - side * TURN, y)
        pen.bend(first.x - side * TURN / 2, y, first.x, y - TURN / 2, first.x, y - TURN)
        pen.line(first.x, graph.tops[source.level])
    else:
        pen.move(source.x, bottom)
        below = graph.bottoms[source.level]
        pen.line(source.x, below)
        pen.bend(source.x, below + LEVEL_GAP * 0.7, first.x, below + LEVEL_GAP * 0.7, first.x, below)
        pen.line(first.x, graph.tops[source.level])


def _is_clear(graph: Graph, box: int, point: int) -> bool:
    """Whether nothing but lines stands between a box and a point of its level."""
    level = graph.levels[graph.points[box].level]
    low, high = sorted((graph.position[box], graph.position[point]))
    return not any(graph.points[p].box or graph.points[p].width for p in level[low + 1 : high])


def _follow(graph: Graph, chain: list[int], pen: _Pen, backward: bool, drawn: set[int]) -> bool:
    """Draw from point to point; False when the line ended in another."""
    for index in chain[1:-1]:
        point = graph.points[index]
        enter, leave = graph.tops[point.level], graph.bottoms[point.level]
        if backward:
            enter, leave = leave, enter
        if not (backward and index == chain[1]):
            pen.curve(point.x, enter)
        if index in drawn and point.shared == "to":
            return False
        if backward and index == chain[-2]:
            _arrive_backwards(graph, chain, pen)
            return True
        if point.label:
            pen.move(point.x, leave)
        else:
            pen.line(point.x, leave)
    target = graph.points[chain[-1]]
    pen.curve(target.x, target.y)
    return True


def _arrive_backwards(graph: Graph, chain: list[int], pen: _Pen) -> None:
    last, target = graph.points[chain[-2]], graph.points[chain[-1]]
    if _is_clear(graph, chain[-1], chain[-2]):
        side = 1.0 if last.x > target.x else -1.0
        y = target.y + target.height / 2
        pen.line(last.x, y + TURN)
        pen.bend(last.x, y + TURN / 2, last.x - side * TURN / 2, y, last.x - side * TURN, y)
        pen.line(target.x + side * target.width / 2, y)
    else:
        top = graph.tops[target.level]
        pen.line(last.x, top)
        pen.bend(last.x, top - LEVEL_GAP * 0.7, target.x, top - LEVEL_GAP * 0.7, target.x, target.y)


def _loop_route(graph: Graph, chain: list[int]) -> Route:
    box, loop = graph.points[chain[0]], graph.points[chain[1]]
    side = 1.0 if loop.x > box.x else -1.0
    x, y = box.x + side * box.width / 2, box.y + box.height / 2
    pen = _Pen()
    half = min(8.0, box.height / 4)
    pen.move(x, y - half)
    pen.bend(x + side * 30, y - 2 * half, x + side * 30, y + 2 * half, x, y + half)
    label = (loop.x + side * LOOP_WIDTH / 2, max(y, loop.y + loop.height / 2)) if loop.height else None
    return Route(pen.path(), True, label)
