"""Where boxes and lines go: a layered layout, top to bottom. Knows sizes and links; nothing of states or SVG's look.

The steps are those of Sugiyama, Tagawa and Toda (1981): links against the flow are found, boxes get levels, links
that pass levels get a point on each, levels are ordered by barycentres, and x comes from Brandes and Köpf (2001).
Three things are our own: a label is a point with a width on a level of its own, so it overlaps nothing; links of
one kind to one box share their points, so many become one line; a link against the flow leaves and enters its
boxes at the side.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

BOX_GAP = 30.0  # between boxes side by side, in pixels as everything here
LINE_GAP = 18.0  # between a line and what stands beside it
LEVEL_GAP = 36.0  # between levels of boxes
LABEL_GAP = 17.0  # between a level of labels and the levels above and below it
LEVEL_GAP_MAX = 72.0
SPREAD = 0.055  # how much a level gap grows per pixel that a line must cross sideways
TURN = 9.0  # radius of a corner
SWEEPS_MAX = 24
LOOP_WIDTH = 26.0
LEVEL_WIDTH_MAX = 1500.0  # boxes (or labels) side by side, before a new level begins


@dataclass(frozen=True, slots=True)
class Box:
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """`label` is a size. Links with the same target and `kind` may run together; `minor` ones make room for
    others, which are drawn as straight as they can be."""

    source: int
    target: int
    kind: Hashable = None
    minor: bool = False
    label: tuple[float, float] | None = None


@dataclass(slots=True)
class Route:
    """A line as SVG path data. One that joins another before its target has no arrow of its own.

    `label` is the centre of the label.
    """

    path: str = ""
    arrow: bool = True
    label: tuple[float, float] | None = None


@dataclass(slots=True)
class Layout:
    """Everything measured from the top left corner. `at` holds the top left corner of each box."""

    width: float
    height: float
    at: list[tuple[float, float]]
    routes: list[Route]


def arrange(boxes: list[Box], links: list[Link]) -> Layout:
    """Lay out boxes and the links between them. The first box begins the flow."""
    graph = _Graph(boxes, links)
    _order(graph)
    _place_x(graph)
    _place_y(graph)
    return Layout(
        max((point.x + point.width / 2 for point in graph.points), default=0.0),
        graph.bottoms[-1] if graph.bottoms else 0.0,
        [(point.x - point.width / 2, point.y) for point in graph.points[: len(boxes)]],
        _routes(graph),
    )


@dataclass(slots=True)
class _Point:
    """Something that stands on a level: a box, a label, or a line that passes."""

    level: int
    width: float = 0.0
    height: float = 0.0
    box: bool = False
    label: bool = False
    line: Hashable = None  # which shared line a point belongs to
    joins: bool = False  # whether links that meet here go on as one
    minor: bool = False
    anchor: int | None = None  # the box that a turning line must stand beside
    x: float = 0.0
    y: float = 0.0  # top


class _Graph:
    """Points on levels. Points 0 … n-1 are the boxes; `chains` are the points of each link, source first."""

    def __init__(self, boxes: list[Box], links: list[Link]) -> None:
        self.links = links
        self.boxes = boxes
        self.backward = _backward(len(boxes), links)
        ranks = _ranks(boxes, links, self.backward)
        self.label_ranks = _label_ranks(ranks, links, self.backward)
        self.level_of = _levels(ranks, self.label_ranks)
        self.points = [
            _Point(self.level_of[2 * ranks[i]], box.width, box.height, box=True) for i, box in enumerate(boxes)
        ]
        self.shared: dict[Hashable, int] = {}
        self.chains = [self._chain(index, link, ranks) for index, link in enumerate(links)]
        self.up: list[list[int]] = [[] for _ in self.points]
        self.down: list[list[int]] = [[] for _ in self.points]
        self._connect()
        self.levels: list[list[int]] = [[] for _ in self.level_of]
        self.position = [0] * len(self.points)
        self.tops: list[float] = []
        self.bottoms: list[float] = []

    def _chain(self, index: int, link: Link, ranks: list[int]) -> list[int]:
        if link.source == link.target:
            return [link.source, self._loop(index, link), link.target]
        source, target = self.points[link.source].level, self.points[link.target].level
        label_at = self.level_of.get(self.label_ranks.get(index, -1))
        backward = index in self.backward
        between = range(source, target - 1, -1) if backward else range(source + 1, target)
        middle = [self._on_level(index, link, level, label_at) for level in between]
        if backward:
            self.points[middle[0]].anchor = link.source
            self.points[middle[-1]].anchor = link.target
        return [link.source, *middle, link.target]

    def _loop(self, index: int, link: Link) -> int:
        width, height = link.label or (0.0, 0.0)
        point = _Point(self.points[link.source].level, width + LOOP_WIDTH, height, anchor=link.source, line=index)
        self.points.append(point)
        return len(self.points) - 1

    def _on_level(self, index: int, link: Link, level: int, label_at: int | None) -> int:
        """The link's point on a level: its label's own, or the one of the line that it shares or will share."""
        if level == label_at and link.label:
            self.points.append(_Point(level, *link.label, label=True, line=index, minor=link.minor))
            return len(self.points) - 1
        line: Hashable = ("to", link.target, link.kind, index in self.backward)
        if label_at is not None and index not in self.backward and level < label_at:
            line = ("from", link.source, link.kind)
        elif label_at is not None and index in self.backward and level > label_at:
            line = index
        if (line, level) not in self.shared:
            self.shared[line, level] = len(self.points)
            joins = isinstance(line, tuple) and line[0] == "to"
            self.points.append(_Point(level, line=line, minor=link.minor, joins=joins))
        return self.shared[line, level]

    def _connect(self) -> None:
        joined = {pair for chain in self.chains for pair in pairwise(chain)}
        for a, b in sorted(joined):
            upper, lower = (a, b) if self.points[a].level < self.points[b].level else (b, a)
            if self.points[upper].level != self.points[lower].level and upper not in self.up[lower]:
                self.down[upper].append(lower)
                self.up[lower].append(upper)


# Levels


def _backward(count: int, links: list[Link]) -> set[int]:
    """The links that lead back to a box from which their source was reached: those of a depth-first search."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for index, link in enumerate(links):
        if link.source != link.target:
            leaving[link.source].append(index)
    state = [0] * count  # 1: on the way, 2: done
    backward: set[int] = set()
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        way: list[tuple[int, Iterator[int]]] = [(root, iter(leaving[root]))]
        while way:
            box, rest = way[-1]
            index = next(rest, None)
            if index is None:
                state[box] = 2
                way.pop()
            elif state[links[index].target] == 1:
                backward.add(index)
            elif not state[links[index].target]:
                state[links[index].target] = 1
                way.append((links[index].target, iter(leaving[links[index].target])))
    return backward


def _ranks(boxes: list[Box], links: list[Link], backward: set[int]) -> list[int]:
    """Each box below all that lead to it; a box that nothing leads to just above what it leads to."""
    forward = [link for i, link in enumerate(links) if i not in backward and link.source != link.target]
    entering = [0] * len(boxes)
    leaving: list[list[int]] = [[] for _ in boxes]
    for link in forward:
        entering[link.target] += 1
        leaving[link.source].append(link.target)
    sources = [box for box in range(len(boxes)) if not entering[box]]
    ranks = [0] * len(boxes)
    ready = list(sources)
    for box in ready:
        for target in leaving[box]:
            ranks[target] = max(ranks[target], ranks[box] + 1)
            entering[target] -= 1
            if not entering[target]:
                ready.append(target)
    for box in sources[1:]:
        if leaving[box]:
            ranks[box] = max(0, min(ranks[target] for target in leaving[box]) - 1)
    return _staggered(boxes, ranks)


def _staggered(boxes: list[Box], ranks: list[int]) -> list[int]:
    """Boxes too many for one rank take turns on several."""
    ranked: dict[int, list[int]] = defaultdict(list)
    for box, rank in enumerate(ranks):
        ranked[rank].append(box)
    result = list(ranks)
    first = 0
    for rank in sorted(ranked):
        width = sum(boxes[box].width + BOX_GAP for box in ranked[rank])
        rows = min(len(ranked[rank]), ceil(width / LEVEL_WIDTH_MAX))
        for turn, box in enumerate(ranked[rank]):
            result[box] = first + turn % rows
        first += rows
    return result


def _label_ranks(ranks: list[int], links: list[Link], backward: set[int]) -> dict[int, int]:
    """Box ranks are even numbers, doubled; a label stands on the odd one beside its source. Where one box has
    more labels than a level holds, they stand above their targets."""
    wide: dict[int, float] = defaultdict(float)
    for link in links:
        wide[link.source] += link.label[0] + LINE_GAP if link.label else 0.0
    found = {}
    for index, link in enumerate(links):
        if link.label and link.source != link.target:
            above_target = wide[link.source] > LEVEL_WIDTH_MAX and index not in backward
            found[index] = 2 * ranks[link.target] - 1 if above_target else 2 * ranks[link.source] + 1
            if index in backward:
                found[index] -= 2
    return found


def _levels(ranks: list[int], label_ranks: dict[int, int]) -> dict[int, int]:
    """The levels in use, from the top."""
    used = {2 * rank for rank in ranks} | set(label_ranks.values())
    return {number: level for level, number in enumerate(sorted(used))}


# Order within levels


def _order(graph: _Graph) -> None:
    """Sort each level by the mean position of its neighbours, up and down, and keep the best."""
    _first_order(graph)
    best, fewest, idle = [list(level) for level in graph.levels], _crossings(graph), 0
    for sweep in range(SWEEPS_MAX):
        if fewest == 0 or idle > 5:
            break
        downwards = sweep % 2 == 0
        numbers = range(1, len(graph.levels)) if downwards else range(len(graph.levels) - 2, -1, -1)
        for number in numbers:
            _sort_level(graph, number, graph.up if downwards else graph.down, turned=sweep % 4 > 1)
        _transpose(graph)
        crossings = _crossings(graph)
        idle += 1
        if crossings < fewest:
            best, fewest, idle = [list(level) for level in graph.levels], crossings, 0
    for number, level in enumerate(best):
        _set_level(graph, number, level)


def _first_order(graph: _Graph) -> None:
    seen: set[int] = set()
    for root in range(len(graph.points)):
        way = [root]
        while way:
            point = way.pop()
            if point in seen:
                continue
            seen.add(point)
            graph.levels[graph.points[point].level].append(point)
            way += [other for other in reversed(graph.down[point]) if other not in seen]
    for number, level in enumerate(graph.levels):
        _set_level(graph, number, level)
        _sort_level(graph, number, [[] for _ in graph.points])


def _set_level(graph: _Graph, number: int, level: list[int]) -> None:
    graph.levels[number] = level
    for position, point in enumerate(level):
        graph.position[point] = position


def _sort_level(graph: _Graph, number: int, neighbours: list[list[int]], turned: bool = False) -> None:
    """`turned`: points that wish for the same place change their order, or a tie would stay for ever."""
    level = graph.levels[number]
    wish = {
        point: sum(graph.position[other] for other in neighbours[point]) / len(neighbours[point])
        if neighbours[point]
        else float(graph.position[point])
        for point in level
    }
    free = [point for point in (level[::-1] if turned else level) if graph.points[point].anchor is None]
    free.sort(key=wish.__getitem__)
    _set_level(graph, number, _with_turns(graph, free, level, wish))


def _with_turns(graph: _Graph, free: list[int], level: list[int], wish: dict[int, float]) -> list[int]:
    """Put each turning line beside its box, on the side it came from; outer ones further out."""
    result = list(free)
    for point in level:
        anchor = graph.points[point].anchor
        if anchor is None:
            continue
        at = result.index(anchor)
        left = wish[point] < wish[anchor]
        step = -1 if left else 1
        at += step
        while 0 <= at < len(result) and graph.points[result[at]].anchor == anchor:
            at += step
        result.insert(at + 1 if left else at, point)
    return result


def _crossings(graph: _Graph) -> int:
    return sum(_crossings_below(graph, level) for level in graph.levels[:-1])


def _crossings_below(graph: _Graph, level: list[int]) -> int:
    seen: list[int] = []
    crossings = 0
    for point in level:
        ends = sorted(graph.position[other] for other in graph.down[point])
        crossings += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
        for end in ends:
            insort(seen, end)
    return crossings


def _transpose(graph: _Graph) -> None:
    """Swap neighbours wherever that leaves fewer crossings."""
    for number, level in enumerate(graph.levels):
        for at in range(len(level) - 1):
            a, b = level[at], level[at + 1]
            if (
                graph.points[a].anchor is not None
                or graph.points[b].anchor is not None
                or _turns_beside(graph, level, a, b)
            ):
                continue
            if _pair_crossings(graph, b, a) < _pair_crossings(graph, a, b):
                level[at], level[at + 1] = b, a
        _set_level(graph, number, level)


def _turns_beside(graph: _Graph, level: list[int], a: int, b: int) -> bool:
    anchors = {graph.points[point].anchor for point in level}
    return a in anchors or b in anchors


def _pair_crossings(graph: _Graph, left: int, right: int) -> int:
    count = 0
    for side in (graph.up, graph.down):
        ends = sorted(graph.position[other] for other in side[right])
        count += sum(bisect_left(ends, graph.position[other]) for other in side[left])
    return count


# x


def _place_x(graph: _Graph) -> None:
    """Brandes and Köpf: four extreme alignments, and of the four the mean of the middle two."""
    conflicts = _conflicts(graph)
    layouts = []
    for downwards in (True, False):
        for leftwards in (True, False):
            xs = _aligned(graph, conflicts, downwards, leftwards)
            layouts.append((leftwards, xs))
    narrowest = min((xs for _, xs in layouts), key=lambda xs: _span(graph, xs)[1] - _span(graph, xs)[0])
    low, high = _span(graph, narrowest)
    shifted = []
    for leftwards, xs in layouts:
        own_low, own_high = _span(graph, xs)
        move = low - own_low if leftwards else high - own_high
        shifted.append([x + move for x in xs])
    for index, point in enumerate(graph.points):
        middle = sorted(xs[index] for xs in shifted)
        point.x = (middle[1] + middle[2]) / 2
    left = min((point.x - point.width / 2 for point in graph.points), default=0.0)
    for point in graph.points:
        point.x -= left


def _span(graph: _Graph, xs: list[float]) -> tuple[float, float]:
    halves = [point.width / 2 for point in graph.points]
    return min(x - half for x, half in zip(xs, halves, strict=True)), max(
        x + half for x, half in zip(xs, halves, strict=True)
    )


def _conflicts(graph: _Graph) -> set[tuple[int, int]]:
    """Pairs that cross a part of a long line: they give way, so that long lines are straight."""
    found = _side_lines(graph)
    for level in graph.levels[:-1]:
        pairs = [(upper, lower) for upper in level for lower in graph.down[upper]]
        inner = [pair for pair in pairs if not any(graph.points[p].box for p in pair)]
        for upper, lower in pairs:
            if (upper, lower) not in inner and any(
                (graph.position[upper] - graph.position[u]) * (graph.position[lower] - graph.position[w]) < 0
                for u, w in inner
            ):
                found.add((upper, lower))
    return found


def _side_lines(graph: _Graph) -> set[tuple[int, int]]:
    """Pairs where a line joins a shared one that comes straight from elsewhere."""
    found = set()
    for point in range(len(graph.points)):
        for neighbours in (graph.up, graph.down):
            straight = _trunk(graph, point, neighbours[point])
            for other in neighbours[point]:
                if other not in straight:
                    found.add((other, point) if neighbours is graph.up else (point, other))
    return found


def _aligned(graph: _Graph, conflicts: set[tuple[int, int]], downwards: bool, leftwards: bool) -> list[float]:
    levels = graph.levels if downwards else graph.levels[::-1]
    levels = levels if leftwards else [level[::-1] for level in levels]
    position = {point: at for level in levels for at, point in enumerate(level)}
    neighbours = graph.up if downwards else graph.down
    root = _blocks(graph, levels, position, neighbours, conflicts)
    xs = _compacted(graph, levels, root)
    sign = 1.0 if leftwards else -1.0
    return [sign * xs[root[point]] for point in range(len(graph.points))]


def _blocks(
    graph: _Graph,
    levels: list[list[int]],
    position: dict[int, int],
    neighbours: list[list[int]],
    conflicts: set[tuple[int, int]],
) -> list[int]:
    """Align each point with its middle neighbour, where no earlier alignment is crossed: the root of each."""
    root = list(range(len(graph.points)))
    taken: set[int] = set()
    for level in levels:
        last = -1
        for point in level:
            others = sorted(_trunk(graph, point, neighbours[point]), key=position.__getitem__)
            middle = (len(others) - 1) // 2, len(others) // 2
            for at in dict.fromkeys(middle) if others else ():
                other = others[at]
                pair = (other, point) if graph.points[other].level < graph.points[point].level else (point, other)
                if root[point] == point and last < position[other] and other not in taken and pair not in conflicts:
                    root[point] = root[other]
                    taken.add(other)
                    last = position[other]
    return root


def _trunk(graph: _Graph, point: int, others: list[int]) -> list[int]:
    """The neighbours that count: where shared lines meet, the one that goes on; at a box, the main lines."""
    own = graph.points[point]
    if own.box:
        return [other for other in others if not graph.points[other].minor] or others
    return [other for other in others if graph.points[other].line == own.line] or others


def _compacted(graph: _Graph, levels: list[list[int]], root: list[int]) -> dict[int, float]:
    """Blocks as far left as their neighbours allow, then each back to the right as far as it may."""
    before: dict[int, dict[int, float]] = defaultdict(dict)
    after: dict[int, dict[int, float]] = defaultdict(dict)
    for level in levels:
        for a, b in pairwise(level):
            gap = _distance(graph.points[a], graph.points[b])
            left, right = root[a], root[b]
            before[right][left] = max(gap, before[right].get(left, 0.0))
            after[left][right] = max(gap, after[left].get(right, 0.0))
    xs: dict[int, float] = {}
    order = _topological(sorted(set(root)), before)
    for block in order:
        xs[block] = max((xs[left] + gap for left, gap in before[block].items()), default=0.0)
    for block in reversed(order):
        room = min((xs[right] - gap for right, gap in after[block].items()), default=None)
        if room is not None:
            xs[block] = max(xs[block], room)
    return xs


def _topological(blocks: list[int], before: dict[int, dict[int, float]]) -> list[int]:
    order: list[int] = []
    done: set[int] = set()
    for start in blocks:
        way = [(start, iter(before[start]))]
        while way:
            block, rest = way[-1]
            left = next((other for other in rest if other not in done), None)
            if block in done or left is None:
                way.pop()
                if block not in done:
                    done.add(block)
                    order.append(block)
            else:
                way.append((left, iter(before[left])))
    return order


def _distance(a: _Point, b: _Point) -> float:
    gap = BOX_GAP if a.box and b.box else LINE_GAP
    return (a.width + b.width) / 2 + gap


# y


def _place_y(graph: _Graph) -> None:
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


def _gap_above(graph: _Graph, number: int, labels: list[bool]) -> float:
    gap = LABEL_GAP if labels[number] or labels[number - 1] else LEVEL_GAP
    widest = max(
        (abs(graph.points[a].x - graph.points[b].x) for b in graph.levels[number] for a in graph.up[b]),
        default=0.0,
    )
    return min(LEVEL_GAP_MAX, gap + max(0.0, widest - 120) * SPREAD)


# Lines


def _routes(graph: _Graph) -> list[Route]:
    """The longest link to a box is drawn to its arrow; others join it where their points meet."""
    routes = [Route() for _ in graph.links]
    drawn: set[int] = set()
    longest_first = sorted(range(len(graph.links)), key=lambda i: -len(graph.chains[i]))
    for index in longest_first:
        chain = graph.chains[index]
        link = graph.links[index]
        if link.source == link.target:
            routes[index] = _loop_route(graph, chain)
            continue
        pen = _Pen()
        _leave(graph, chain, pen, index in graph.backward)
        routes[index].arrow = _follow(graph, chain, pen, index in graph.backward, drawn)
        routes[index].path = pen.path()
        label = next((p for p in chain if graph.points[p].label), None)
        if label is not None:
            point = graph.points[label]
            routes[index].label = (point.x, (graph.tops[point.level] + graph.bottoms[point.level]) / 2)
        drawn.update(point for point in chain if graph.points[point].joins)
    return routes


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


def _leave(graph: _Graph, chain: list[int], pen: _Pen, backward: bool) -> None:
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


def _is_clear(graph: _Graph, box: int, point: int) -> bool:
    """Whether nothing but lines stands between a box and a point of its level."""
    level = graph.levels[graph.points[box].level]
    low, high = sorted((graph.position[box], graph.position[point]))
    return not any(graph.points[p].box or graph.points[p].width for p in level[low + 1 : high])


def _follow(graph: _Graph, chain: list[int], pen: _Pen, backward: bool, drawn: set[int]) -> bool:
    """Draw from point to point; False when the line ended in another."""
    for index in chain[1:-1]:
        point = graph.points[index]
        enter, leave = graph.tops[point.level], graph.bottoms[point.level]
        if backward:
            enter, leave = leave, enter
        if not (backward and index == chain[1]):
            pen.curve(point.x, enter)
        if index in drawn:
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


def _arrive_backwards(graph: _Graph, chain: list[int], pen: _Pen) -> None:
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


def _loop_route(graph: _Graph, chain: list[int]) -> Route:
    box, loop = graph.points[chain[0]], graph.points[chain[1]]
    side = 1.0 if loop.x > box.x else -1.0
    x, y = box.x + side * box.width / 2, box.y + box.height / 2
    pen = _Pen()
    pen.move(x, y - 8)
    pen.bend(x + side * 30, y - 20, x + side * 30, y + 20, x, y + 8)
    label = None
    if loop.height:
        label = (x + side * (LOOP_WIDTH + (loop.width - LOOP_WIDTH) / 2), y)
    return Route(pen.path(), True, label)
