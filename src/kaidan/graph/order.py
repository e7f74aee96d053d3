"""The order of points within their levels, with few lines crossing: barycentres, and swaps of neighbours."""

from __future__ import annotations

from bisect import bisect_left, insort

from kaidan.graph.levels import Graph

SWEEPS_MAX = 24


def order_levels(graph: Graph) -> None:
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


def _first_order(graph: Graph) -> None:
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


def _set_level(graph: Graph, number: int, level: list[int]) -> None:
    graph.levels[number] = level
    for position, point in enumerate(level):
        graph.position[point] = position


def _sort_level(graph: Graph, number: int, neighbours: list[list[int]], turned: bool = False) -> None:
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


def _with_turns(graph: Graph, free: list[int], level: list[int], wish: dict[int, float]) -> list[int]:
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


def _crossings(graph: Graph) -> int:
    return sum(_crossings_below(graph, level) for level in graph.levels[:-1])


def _crossings_below(graph: Graph, level: list[int]) -> int:
    seen: list[int] = []
    crossings = 0
    for point in level:
        ends = sorted(graph.position[other] for other in graph.down[point])
        crossings += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
        for end in ends:
            insort(seen, end)
    return crossings


def _transpose(graph: Graph) -> None:
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


def _turns_beside(graph: Graph, level: list[int], a: int, b: int) -> bool:
    anchors = {graph.points[point].anchor for point in level}
    return a in anchors or b in anchors


def _pair_crossings(graph: Graph, left: int, right: int) -> int:
    count = 0
    for side in (graph.up, graph.down):
        ends = sorted(graph.position[other] for other in side[right])
        count += sum(bisect_left(ends, graph.position[other]) for other in side[left])
    return count
