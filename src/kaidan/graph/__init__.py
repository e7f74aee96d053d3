"""Pictures of a definition: SVG and Mermaid text. Draws any definition, valid or not quite; checks none.

model       JSON value → nodes, edges, regions, and the words on them
layout      sizes → places: levels, order, align, lines
svg         places → SVG
mermaid     nodes and edges → Mermaid, which does its own layout
"""

from __future__ import annotations

from collections.abc import Mapping

from kaidan.graph.mermaid import flowchart
from kaidan.graph.model import read_machine
from kaidan.graph.svg import render
from kaidan.values import JSON

__all__ = ["to_mermaid", "to_svg"]


def to_svg(definition: JSON, *, title: str | None = None, statuses: Mapping[str, str] | None = None) -> str:
    """A definition as one SVG document without references to anything outside, readable in light and dark.

    `statuses` colours states by name: `succeeded`, `failed`, `running`, `caught`, `aborted`, `timed_out`;
    with it, states that it does not name are drawn faintly. Never raises for a JSON value.
    """
    return render(read_machine(definition), title, statuses)


def to_mermaid(definition: JSON) -> str:
    """A definition as a Mermaid flowchart, which GitHub and many editors draw. Never raises for a JSON value."""
    return flowchart(read_machine(definition))
