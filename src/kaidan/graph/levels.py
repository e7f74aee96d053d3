"""Which level each box stands on, and the points of every link on the levels between. Knows sizes, not places.

A label is a point with a width on a level of its own, so that it overlaps nothing. Links of one kind to one box
share their points, so that many become one line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

BOX_GAP = 30.0  # between boxes side by side, in pixels as everything here
LINE_GAP = 18.0  # between a line and what stands beside it
LOOP_WIDTH = 26.0  # of a line from a box to itself
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
class Point:
    """Something that stands on a level: a box, a label, or a line that passes."""

    level: int
    width: float = 0.0
    height: float = 0.0
    box: bool = False
    label: bool = False
    line: Hashable = None  # which shared line a point belongs to
    shared: str = ""  # "from": links of one source part here; "to": links to one target meet here
    minor: bool = False
    anchor: int | None = None  # the box that a turning line must stand beside
    x: float = 0.0
    y: float = 0.0  # top


class Graph:
    """Points on levels. Points 0 … n-1 are the boxes; `chains` are the points of each link, source first."""

    def __init__(self, boxes: list[Box], links: list[Link]) -> None:
        self.links = links
        self.boxes = boxes
        self.backward = _backward(len(boxes), links)
        ranks = _ranks(boxes, links, self.backward)
        self.label_ranks = _label_ranks(ranks, links, self.backward)
        self.level_of = _levels(ranks, self.label_ranks)
        self.points = [
            Point(self.level_of[2 * ranks[i]], box.width, box.height, box=True) for i, box in enumerate(boxes)
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
        point = Point(self.points[link.source].level, width + LOOP_WIDTH, height, anchor=link.source, line=index)
        self.points.append(point)
        return len(self.points) - 1

    def _on_level(self, index: int, link: Link, level: int, label_at: int | None) -> int:
        """The link's point on a level: its label's own, or the one of the line that it shares or will share."""
        if level == label_at and link.label:
            self.points.append(Point(level, *link.label, label=True, line=index, minor=link.minor))
            return len(self.points) - 1
        backward = index in self.backward
        shared, line = "to", (link.target, link.kind, backward)
        if label_at is not None and level < label_at and not backward:
            shared, line = "from", (link.source, link.kind, False)
        elif label_at is not None and level > label_at and backward:
            shared, line = "", (index, None, True)
        if (shared, line, level) not in self.shared:
            self.shared[shared, line, level] = len(self.points)
            self.points.append(Point(level, line=(shared, *line), minor=link.minor, shared=shared))
        return self.shared[shared, line, level]

    def _connect(self) -> None:
        joined = {pair for chain in self.chains for pair in pairwise(chain)}
        for a, b in sorted(joined):
            upper, lower = (a, b) if self.points[a].level < self.points[b].level else (b, a)
            if self.points[upper].level != self.points[lower].level and upper not in self.up[lower]:
                self.down[upper].append(lower)
                self.up[lower].append(upper)


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
            index = next(rest, -1)
            if index < 0:
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
