"""Pictures of a definition: Mermaid text and SVG. Draws any definition, valid or not quite; changes and checks none."""

from __future__ import annotations

from collections.abc import Mapping

from kaidan import graph_svg
from kaidan.graph_model import read_machine
from kaidan.values import JSON


def to_svg(definition: JSON, *, title: str | None = None, statuses: Mapping[str, str] | None = None) -> str:
    return graph_svg.render(read_machine(definition), title, statuses)
