"""Pictures of definitions: the words, Mermaid's syntax, SVG that is whole, and the laws of the layout."""

from __future__ import annotations

import random
import re
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.graph import to_mermaid, to_svg
from kaidan.graph.layout import Layout, arrange
from kaidan.graph.levels import Box, Link
from kaidan.graph.model import condition, read_machine
from kaidan.values import JSON

CONDITIONS: list[tuple[dict[str, JSON], str]] = [
    ({"Variable": "$.a", "StringEquals": "x"}, '$.a = "x"'),
    ({"Variable": "$.a", "NumericGreaterThanEqualsPath": "$.b"}, "$.a ≥ $.b"),
    ({"Variable": "$.a", "TimestampLessThan": "2024-01-01T00:00:00Z"}, '$.a < "2024-01-01T00:00:00Z"'),
    ({"Variable": "$.a", "StringMatches": "*.log"}, '$.a matches "*.log"'),
    ({"Variable": "$.a", "BooleanEquals": True}, "$.a = true"),
    ({"Variable": "$.a", "IsPresent": False}, "$.a is not present"),
    ({"Variable": "$.a", "IsNumeric": True}, "$.a is a number"),
    ({"Not": {"Variable": "$.a", "IsNull": True}}, "not ($.a is null)"),
    (
        {
            "And": [
                {"Variable": "$.a", "NumericEquals": 1},
                {"Or": [{"Variable": "$.b", "IsNull": True}, {"Variable": "$.c", "IsNull": True}]},
            ]
        },
        "$.a = 1 and ($.b is null or $.c is null)",
    ),
    ({"Condition": "{%  $states.input.a\n > 1 %}"}, "$states.input.a > 1"),
    ({"Condition": True}, "true"),
    ({}, ""),
    ({"And": "x", "Variable": 7}, ""),
]

CAPTIONS: list[tuple[dict[str, JSON], str]] = [
    ({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:Work:3"}, "lambda · Work"),
    ({"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:Paint"}, "activity · Paint"),
    (
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:Work"},
        },
        "lambda · Work · until called back",
    ),
    ({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}, "lambda · invoke"),
    ({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeImages"}, "ec2 · describeImages"),
    (
        {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"},
        "states · startExecution · and wait",
    ),
    ({"Type": "Task", "Resource": "${Fn}"}, "${Fn}"),
    ({"Type": "Task"}, ""),
    ({"Type": "Wait", "Seconds": 30}, "30 s"),
    ({"Type": "Wait", "Seconds": "{% $n %}"}, "for $n s"),
    ({"Type": "Wait", "TimestampPath": "$.t"}, "until $.t"),
    ({"Type": "Fail", "Error": "Broken"}, "Broken"),
    ({"Type": "Parallel", "Branches": [{}]}, "1 branch"),
    (
        {
            "Type": "Map",
            "ItemsPath": "$.rows",
            "MaxConcurrency": 5,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}},
        },
        "each of $.rows · distributed · 5 at a time",
    ),
    ({"Type": "Map", "ItemReader": {}}, "each of the dataset"),
    ({"Type": "Pass"}, ""),
    ({"Type": "Teleport"}, "Teleport"),
    ({}, ""),
]

ODD_NAMES = [
    '"quoted"',
    "階段 ですか？",
    "a|b;c",
    "1. first",
    "- list",
    "end",
    "`code`",
    "<b>&amp;",
    "back\\slash",
    "#35;",
    "\x00\x0b\ud800",
]


def machine(states: dict[str, JSON], start: JSON = None) -> dict[str, JSON]:
    return {"StartAt": start if start is not None else next(iter(states), None), "States": states}


POLLING = machine(
    {
        "Start": {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun", "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Done?"},
        "Done?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.s", "StringEquals": "ok", "Next": "Each"},
                {"Variable": "$.s", "StringEquals": "no", "Next": "Lost"},
                {"Variable": "$.s", "StringEquals": "late", "Next": "Lost"},
            ],
            "Default": "Wait",
        },
        "Each": {
            "Type": "Map",
            "ItemProcessor": machine({"Inner": {"Type": "Pass", "End": True}}),
            "Catch": [{"ErrorEquals": ["A", "B"], "Next": "Lost"}],
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                machine({"L": {"Type": "Pass", "End": True}}),
                machine({"R": {"Type": "Pass", "Next": "Nowhere"}}),
            ],
            "End": True,
        },
        "Lost": {"Type": "Fail", "Error": "Lost"},
    }
)

MERMAID = """\
flowchart TD
  s0((" ")):::mark
  s1["Start<br/>glue · startJobRun"]
  s2(["Wait<br/>5 s"])
  s3{{"Done?"}}
  subgraph s4["Each · each item"]
    s8("Inner")
  end
  subgraph s5["Both · 2 branches"]
    subgraph s9[" "]
      s10("L")
    end
    subgraph s11[" "]
      s12("R")
      s13["Nowhere<br/>no such state"]:::missing
      s12 --> s13
    end
  end
  s6(["Lost"]):::bad
  s7(((" "))):::mark
  s0 --> s1
  s1 --> s2
  s2 --> s3
  s3 -->|"$.s = #34;ok#34;"| s4
  s3 -->|"$.s = #34;no#34; or $.s = #34;late#34;"| s6
  s3 -->|"otherwise"| s2
  s4 --> s5
  s4 -.->|"A, B"| s6
  s5 --> s7
  classDef mark fill:#6e7781,stroke:#6e7781
  classDef bad stroke:#cf222e
  classDef missing stroke:#cf222e,stroke-dasharray:4 3
"""


@pytest.mark.parametrize(("rule", "words"), CONDITIONS)
def test_conditions_in_words(rule: dict[str, JSON], words: str) -> None:
    assert condition(rule) == words


@pytest.mark.parametrize(("state", "caption"), CAPTIONS)
def test_captions(state: dict[str, JSON], caption: str) -> None:
    assert read_machine(machine({"S": state})).nodes[1].caption == caption


def test_mermaid() -> None:
    assert to_mermaid(POLLING).replace("Lost<br/>Lost", "Lost") == MERMAID


MERMAID_LINES = [
    r"flowchart TD",
    r"subgraph (s\d+)\[QUOTED\]",
    r"end",
    r"(s\d+)(?:\[QUOTED\]|\(QUOTED\)|\(\(QUOTED\)\)|\(\(\(QUOTED\)\)\)|\(\[QUOTED\]\)|\{\{QUOTED\}\})(?::::(\w+))?",
    r"(s\d+) (?:-->|-\.->)(?:\|QUOTED\|)? (s\d+)",
    r"classDef \w+ [\w:#,\- ]+",
]
QUOTED = r'"(?:[^"#<>&`\\;\n]|<br/>|#\d+;)+"'


def check_mermaid(text: str) -> None:
    """Every line is one that Mermaid's grammar has, blocks are closed, edges end at nodes that exist."""
    depth, declared, used = 0, [], set()
    for line in map(str.strip, text.splitlines()):
        forms = [re.fullmatch(form.replace("QUOTED", QUOTED), line) for form in MERMAID_LINES]
        assert any(forms), line
        depth += line.startswith("subgraph") - (line == "end")
        assert depth >= 0
        if forms[1] or forms[3]:
            declared.append((forms[1] or forms[3])[1])  # type: ignore[index]
        if forms[4]:
            used |= set(forms[4].groups())
    assert depth == 0 and len(declared) == len(set(declared)) and used <= set(declared)


def named(names: list[str]) -> dict[str, JSON]:
    states: dict[str, JSON] = {name: {"Type": "Pass", "Next": after} for name, after in pairwise(names)}
    states[names[-1]] = {
        "Type": "Choice",
        "Choices": [{"Variable": name, "IsNull": True, "Next": name} for name in names],
    }
    return machine(states)


def test_odd_names() -> None:
    check_mermaid(to_mermaid(named(ODD_NAMES)))
    svg = ElementTree.fromstring(to_svg(named(ODD_NAMES), title='<&"'))
    said = "".join(svg.itertext())
    for name in ODD_NAMES[:-1]:
        assert name in said
    svg_text = to_svg(named(ODD_NAMES))
    svg_text.encode()


def test_svg_is_whole_and_alone() -> None:
    text = to_svg(POLLING, title="Polling")
    root = ElementTree.fromstring(text)
    said = [element.text for element in root.iter() if element.text]
    for word in ["Polling", "Start", "glue · startJobRun", "Inner", "R", "Nowhere", "otherwise", "A, B"]:
        assert word in said
    assert text.count("http") == 1  # the namespace
    assert not re.search(r"<(script|image|foreignObject|use)|url\((?!#)|@import", text)
    assert to_svg(POLLING, title="Polling") == text


def test_statuses() -> None:
    text = to_svg(POLLING, statuses={"Start": "SUCCEEDED", "Wait": "running", "Inner": "odd <status>"})
    looks = re.findall(r'class="(kg-node[^"]*)"', text)
    assert "kg-node kg-Task kg-status kg-is-succeeded" in looks
    assert "kg-node kg-Wait kg-status kg-is-running" in looks
    assert "kg-node kg-Pass kg-status kg-is-oddstatus" in looks
    assert looks.count("kg-node kg-Pass kg-idle") == 2
    assert text.count('class="kg-badge"') == 2
    ElementTree.fromstring(text)


@pytest.mark.parametrize(
    "definition",
    [
        None,
        7,
        [],
        {},
        {"StartAt": "A"},
        {"States": {}},
        {
            "StartAt": 3,
            "States": {"A": None, "B": {"Type": 3, "Next": ["C"], "Catch": {}, "Choices": [1, {"Next": 2}]}},
        },
        {"StartAt": "Gone", "States": {"A": {"Type": "Map", "Iterator": 5, "ItemProcessor": {"States": {"X": {}}}}}},
        {
            "StartAt": "A",
            "States": {"A": {"Type": "Parallel", "Branches": [None, {}, {"States": {"B": {}}}], "Next": "A"}},
        },
        machine({"A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "A"}], "Default": "A"}}),
    ],
)
def test_what_is_not_quite_valid_is_drawn(definition: JSON) -> None:
    ElementTree.fromstring(to_svg(definition, statuses={}))
    check_mermaid(to_mermaid(definition))


def nested(levels: int) -> dict[str, JSON]:
    inner = {"Type": "Pass", "End": True}
    for level in range(levels):
        inner = {"Type": "Map", "ItemProcessor": machine({f"S{level}": inner}), "End": True}
    return machine({"Outer": inner})


def test_machines_in_machines() -> None:
    """As deep as a definition may be: 200 levels of JSON."""
    ElementTree.fromstring(to_svg(nested(49)))
    check_mermaid(to_mermaid(nested(49)))


def test_a_long_machine_and_a_wide_choice_are_drawn() -> None:
    chain = {f"S{i}": {"Type": "Pass", "Next": f"S{i + 1}"} for i in range(400)}
    ElementTree.fromstring(to_svg(machine({**chain, "S400": {"Type": "Succeed"}})))
    rules = [{"Variable": f"$.{i}", "IsPresent": True, "Next": f"T{i}"} for i in range(60)]
    fan = {"C": {"Type": "Choice", "Choices": rules}, **{f"T{i}": {"Type": "Pass", "End": True} for i in range(60)}}
    svg = ElementTree.fromstring(to_svg(machine(fan)))
    assert float(svg.attrib["width"]) < 3_000


field_names = st.sampled_from(
    """Type Next Default End StartAt States Choices Catch ErrorEquals And Not Branches Iterator
    Resource Seconds Condition Variable A B""".split()  # noqa: SIM905
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["A", "B", "Task", "Map", "{% a %}", "$.x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(field_names, inner, max_size=5),
    max_leaves=30,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(json_values)
def test_any_json_value_is_drawn(value: JSON) -> None:
    definition = value if isinstance(value, dict) and "States" in value else {"StartAt": "A", "States": {"A": value}}
    ElementTree.fromstring(to_svg(definition))
    check_mermaid(to_mermaid(definition))


# Laws of the layout: over random graphs, some of them with labels, loops and links against the flow


def random_graph(seed: int) -> tuple[list[Box], list[Link]]:
    chance = random.Random(seed)
    count = chance.choice([1, 2, 3, 5, 8, 14, 25])
    boxes = [Box(chance.uniform(14, 240), chance.choice([14, 40, 52, 300])) for _ in range(count)]
    links: dict[tuple[int, int, str], Link] = {}
    for _ in range(int(count * chance.choice([0.8, 1.2, 1.8]))):
        source, kind = chance.randrange(count), chance.choice(["flow", "flow", "catch"])
        target = chance.randrange(count) if chance.random() < 0.3 else min(count - 1, source + chance.randrange(1, 4))
        label = (chance.uniform(20, 190), chance.choice([16, 30])) if chance.random() < 0.5 else None
        links[source, target, kind] = Link(source, target, kind, kind == "catch", label)
    return boxes, list(links.values())


def samples(path: str) -> list[tuple[float, float]]:
    """Points along SVG path data of M, L and C."""
    points: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([MLC])([^MLC]*)", path):
        values = [float(number) for number in numbers.split()]
        ends = list(zip(values[::2], values[1::2], strict=True))
        steps = [i / 24 for i in range(25)]
        if command == "M":
            points.append(ends[0])
        elif command == "L":
            (x, y), (a, b) = points[-1], ends[0]
            points += [(x + (a - x) * t, y + (b - y) * t) for t in steps]
        else:
            p, q, r, s = points[-1], *ends
            points += [
                tuple(
                    (1 - t) ** 3 * p[i] + 3 * t * (1 - t) ** 2 * q[i] + 3 * t * t * (1 - t) * r[i] + t**3 * s[i]
                    for i in (0, 1)
                )  # type: ignore[misc]
                for t in steps
            ]
    return points


Rectangle = tuple[float, float, float, float]


def rectangles(boxes: list[Box], links: list[Link], layout: Layout) -> tuple[list[Rectangle], list[Rectangle]]:
    placed = [(x, y, x + box.width, y + box.height) for box, (x, y) in zip(boxes, layout.at, strict=True)]
    labels = []
    for link, route in zip(links, layout.routes, strict=True):
        assert (route.label is None) == (link.label is None)
        if link.label and route.label:
            (x, y), (width, height) = route.label, link.label
            labels.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return placed, labels


def overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] - 0.5 and b[0] < a[2] - 0.5 and a[1] < b[3] - 0.5 and b[1] < a[3] - 0.5


@pytest.mark.parametrize("seed", range(120))
def test_nothing_overlaps(seed: int) -> None:
    boxes, links = random_graph(seed)
    layout = arrange(boxes, links)
    placed, labels = rectangles(boxes, links, layout)
    for a, b in combinations(placed + labels, 2):
        assert not overlap(a, b)
    for left, top, right, bottom in placed + labels:
        assert left >= -0.5 and top >= -0.5 and right <= layout.width + 0.5 and bottom <= layout.height + 0.5
    for link, route in zip(links, layout.routes, strict=True):
        for index, (left, top, right, bottom) in enumerate(placed):
            inside = [p for p in samples(route.path) if left + 1 < p[0] < right - 1 and top + 1 < p[1] < bottom - 1]
            assert not inside, (link, index, inside[:3])


@pytest.mark.parametrize("seed", range(40))
def test_lines_lead_from_box_to_box(seed: int) -> None:
    """Each line begins at its source; it ends at its target, or on a line that leads there."""
    boxes, links = random_graph(seed)
    layout = arrange(boxes, links)
    placed, _ = rectangles(boxes, links, layout)
    arrows: dict[tuple[int, Any], list[list[tuple[float, float]]]] = {}
    for link, route in zip(links, layout.routes, strict=True):
        arrows.setdefault((link.target, link.kind), []).append(samples(route.path))
        if route.arrow:
            assert near(placed[link.target], samples(route.path)[-1])
    for link, route in zip(links, layout.routes, strict=True):
        points = samples(route.path)
        assert near(placed[link.source], points[0]) or len([x for x in links if x.source == link.source]) > 1
        if not route.arrow:
            others = [line for line in arrows[link.target, link.kind] if line != points]
            assert min(distance(points[-1], p) for line in others for p in line) < 8


def near(rectangle: Rectangle, point: tuple[float, float]) -> bool:
    left, top, right, bottom = rectangle
    return left - 1 <= point[0] <= right + 1 and top - 1 <= point[1] <= bottom + 1


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def test_a_chain_is_straight() -> None:
    boxes = [Box(100 + 10 * i, 40) for i in range(6)]
    layout = arrange(boxes, [Link(i, i + 1) for i in range(5)])
    centres = {x + box.width / 2 for box, (x, _) in zip(boxes, layout.at, strict=True)}
    assert max(centres) - min(centres) < 0.01
    assert [y for _, y in layout.at] == sorted(y for _, y in layout.at)
    assert all("C" not in route.path for route in layout.routes)
