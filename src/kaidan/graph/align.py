"""x: every point under its neighbours, long lines straight (Brandes and Köpf, "Fast and Simple Horizontal
Coordinate Assignment", 2001)."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from kaidan.graph.levels import BOX_GAP, LINE_GAP, Graph, Point


def place_x(graph: Graph) -> None:
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


def _span(graph: Graph, xs: list[float]) -> tuple[float, float]:
    halves = [point.width / 2 for point in graph.points]
    return min(x - half for x, half in zip(xs, halves, strict=True)), max(
        x + half for x, half in zip(xs, halves, strict=True)
    )


def _conflicts(graph: Graph) -> set[tuple[int, int]]:
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


def _side_lines(graph: Graph) -> set[tuple[int, int]]:
    """Pairs where a line joins a shared one that comes straight from elsewhere."""
    found = set()
    for point in range(len(graph.points)):
        for neighbours in (graph.up, graph.down):
            straight = _trunk(graph, point, neighbours[point])
            for other in neighbours[point]:
                if other not in straight:
                    found.add((other, point) if neighbours is graph.up else (point, other))
    return found


def _aligned(graph: Graph, conflicts: set[tuple[int, int]], downwards: bool, leftwards: bool) -> list[float]:
    levels = graph.levels if downwards else graph.levels[::-1]
    levels = levels if leftwards else [level[::-1] for level in levels]
    position = {point: at for level in levels for at, point in enumerate(level)}
    neighbours = graph.up if downwards else graph.down
    root = _blocks(graph, levels, position, neighbours, conflicts)
    xs = _compacted(graph, levels, root)
    sign = 1.0 if leftwards else -1.0
    return [sign * xs[root[point]] for point in range(len(graph.points))]


def _blocks(
    graph: Graph,
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


def _trunk(graph: Graph, point: int, others: list[int]) -> list[int]:
    """The neighbours that count: where shared lines meet, the one that goes on; at a box, the main lines."""
    own = graph.points[point]
    if own.box:
        return [other for other in others if not graph.points[other].minor] or others
    return [other for other in others if graph.points[other].line == own.line] or others


def _compacted(graph: Graph, levels: list[list[int]], root: list[int]) -> dict[int, float]:
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


def _distance(a: Point, b: Point) -> float:
    gap = BOX_GAP if a.box and b.box else LINE_GAP
    return (a.width + b.width) / 2 + gap
