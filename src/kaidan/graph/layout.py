"""Where boxes and lines go: a layered layout, top to bottom. Knows sizes and links; nothing of states or looks.

The steps are those of Sugiyama, Tagawa and Toda (1981): links against the flow are found, boxes get levels, links
that pass levels get a point on each, levels are ordered, and only then anything gets a place.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaidan.graph.align import place_x
from kaidan.graph.levels import Box, Graph, Link
from kaidan.graph.lines import Route, draw_lines, place_y
from kaidan.graph.order import order_levels


@dataclass(slots=True)
class Layout:
    """Everything measured from the top left corner. `at` holds the top left corner of each box."""

    width: float
    height: float
    at: list[tuple[float, float]]
    routes: list[Route]


def arrange(boxes: list[Box], links: list[Link]) -> Layout:
    """Lay out boxes and the links between them. The first box begins the flow."""
    graph = Graph(boxes, links)
    order_levels(graph)
    place_x(graph)
    place_y(graph)
    return Layout(
        max((point.x + point.width / 2 for point in graph.points), default=0.0),
        graph.bottoms[-1] if graph.bottoms else 0.0,
        [(point.x - point.width / 2, point.y) for point in graph.points[: len(boxes)]],
        draw_lines(graph),
    )
