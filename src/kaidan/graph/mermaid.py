"""A definition as Mermaid text. Knows the graph and Mermaid's syntax; nothing of the States Language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from kaidan.graph.model import END, MISSING, START, Edge, Node, Region

LABEL_CHARS_MAX = 60


def flowchart(machine: Region) -> str:
    """Parallel branches and Map processors are subgraphs, catchers dotted lines. A flowchart and not Mermaid's
    state diagram, which has no dotted lines and breaks on many names."""
    names = (f"s{number}" for number in count())
    lines = ["flowchart TD", *_region(machine, names, "  ")]
    used = {name for line in lines for name in re.findall(r":::(\w+)$", line)}
    lines += [f"  classDef {name} {look}" for name, look in _CLASSES.items() if name in used]
    return "\n".join(lines) + "\n"


_SHAPES = {  # what stands around a node's quoted text
    "Choice": ("{{", "}}"),
    "Wait": ("([", "])"),
    "Succeed": ("([", "])"),
    "Fail": ("([", "])"),
    "Pass": ("(", ")"),
    START: ("((", "))"),
    END: ("(((", ")))"),
}
_CLASS_OF = {"Succeed": "good", "Fail": "bad", MISSING: "missing", START: "mark", END: "mark"}
_CLASSES = {
    "mark": "fill:#6e7781,stroke:#6e7781",
    "good": "stroke:#1a7f37",
    "bad": "stroke:#cf222e",
    "missing": "stroke:#cf222e,stroke-dasharray:4 3",
}


def _region(region: Region, names: Iterator[str], indent: str) -> Iterator[str]:
    own = [next(names) for _ in region.nodes]
    for name, node in zip(own, region.nodes, strict=True):
        yield from _node(name, node, names, indent)
    for edge in region.edges:
        yield f"{indent}{own[edge.source]} {_arrow(edge)} {own[edge.target]}"


def _node(name: str, node: Node, names: Iterator[str], indent: str) -> Iterator[str]:
    if not node.regions:
        left, right = _SHAPES.get(node.type, ("[", "]"))
        look = f":::{_CLASS_OF[node.type]}" if node.type in _CLASS_OF else ""
        yield f'{indent}{name}{left}"{_node_text(node, "<br/>")}"{right}{look}'
        return
    yield f'{indent}subgraph {name}["{_node_text(node, " · ")}"]'
    if len(node.regions) == 1:
        yield from _region(node.regions[0], names, indent + "  ")
    else:
        for region in node.regions:
            yield f'{indent}  subgraph {next(names)}[" "]'
            yield from _region(region, names, indent + "    ")
            yield f"{indent}  end"
    yield f"{indent}end"


def _node_text(node: Node, between: str) -> str:
    return between.join(_text(part) for part in (node.name, node.caption) if part) or " "


def _arrow(edge: Edge) -> str:
    line = "-.->" if edge.kind == "catch" else "-->"
    label = " or ".join(dict.fromkeys(edge.labels))
    return f'{line}|"{_text(label)}"|' if label else line


_SPECIAL = re.compile(r"""["#<>&`\\;]|^\d+(?=\.)|^[-*+](?=\s)""")


def _text(text: str) -> str:
    """Text between Mermaid's quotes: one line, what Mermaid or HTML would read as markup as entities."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(line) > LABEL_CHARS_MAX:
        line = line[: LABEL_CHARS_MAX - 1].rstrip() + "…"
    return _SPECIAL.sub(lambda found: "".join(f"#{ord(char)};" for char in found[0]), line)
