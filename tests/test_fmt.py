"""Canonical form: cases as text, then laws over many definitions in many layouts."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from kaidan.asl.language import read_source
from kaidan.asl.states import TABLES
from kaidan.asl.states.fields import MACHINE, Items, Record
from kaidan.errors import DefinitionError
from kaidan.formatting import CannotFormat, as_json, as_yaml, formatted
from kaidan.formatting.order import ORDER
from kaidan.values import equal

JSON_CASES = {
    "members of a machine and of states": (
        """{"States": {"B": {"End": true, "Type": "Pass"},
            "A": {"Next": "B", "Result": {"z": 1, "a": 2}, "Type": "Pass"}},
            "TimeoutSeconds": 5, "StartAt": "A", "Comment": "c"}""",
        """\
{
  "Comment": "c",
  "StartAt": "A",
  "TimeoutSeconds": 5,
  "States": {
    "B": {"Type": "Pass", "End": true},
    "A": {"Type": "Pass", "Result": {"z": 1, "a": 2}, "Next": "B"}
  }
}
""",
    ),
    "choice rules, one a line": (
        """{"StartAt": "C", "States": {"C": {"Default": "D", "Type": "Choice", "Choices": [
            {"Next": "D", "Variable": "$.a", "IsPresent": true},
            {"Next": "D", "And": [{"IsNull": true, "Variable": "$.b"}]}]}}}""",
        """\
{
  "StartAt": "C",
  "States": {
    "C": {
      "Type": "Choice",
      "Choices": [
        {"Variable": "$.a", "IsPresent": true, "Next": "D"},
        {
          "And": [
            {"Variable": "$.b", "IsNull": true}
          ],
          "Next": "D"
        }
      ],
      "Default": "D"
    }
  }
}
""",
    ),
    "what fits in 100 columns": (
        '{"StartAt":"A","States":{"A":{"Type":"Wait","Comment":"LONG","Seconds":1,"End":true},'
        '"B":{"Type":"Pass","Comment":"LONG and longer","Result":[[],{"n":1.50e0,"é":"\\u00e9"}],"End":true}}}',
        """\
{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Wait", "Comment": "LONG", "Seconds": 1, "End": true},
    "B": {
      "Type": "Pass",
      "Comment": "LONG and longer",
      "Result": [[], {"n": 1.50e0, "é": "\\u00e9"}],
      "End": true
    }
  }
}
""",
    ),
    "comments": (
        """// top
{ // first
  /* of States */ "States": {
    "A": {
      "End": true, // the end
      // above Type
      "Type": /* odd */ "Pass",
      // last
    }
    // no comma here
    , "B": {"Type": "Succeed"} // B
  },
  "StartAt": "A" /* start */
}
// bottom
""",
        """\
// top
{ // first
  "StartAt": "A", /* start */
  /* of States */
  "States": {
    // no comma here
    "A": {
      // above Type
      /* odd */
      "Type": "Pass",
      "End": true // the end
      // last
    },
    "B": {"Type": "Succeed"} // B
  }
}
// bottom
""",
    ),
}

YAML_CASES = {
    "lines are moved, not written anew": (
        """\
# head
---
StartAt: A   # eol
States:
    A:
        # about Next
        Next: 'B'

        Type: Pass
        Result: |
            text
              # no comment
            more
        Comment: >-
            folded
            text
    B:
      Type: Choice
      Choices:
      - Next: C
        # c1
        Variable: $.a
        StringEquals: "yes"
      -
        Next: C
        And: [{Next: x, Variable: y}]
      # trailing
      Default: C
    C: {End: true, Type: Pass}
""",
        """\
# head
---
StartAt: A   # eol
States:
  A:
    Type: Pass
    Comment: >-
        folded
        text
    Result: |
        text
          # no comment
        more
    # about Next
    Next: 'B'
  B:
    Type: Choice
    Choices:
      # c1
      - Variable: $.a
        StringEquals: "yes"
        Next: C
      - And: [{Next: x, Variable: y}]
        Next: C
    # trailing
    Default: C
  C: {End: true, Type: Pass}
""",
    ),
    "anchors stay before their aliases": (
        """\
StartAt: A
States:
  A:
    Type: Task
    Resource: r
    Retry: &retry
    - &one
      MaxAttempts: 1
      ErrorEquals: [E]
    Parameters: {}
    End: true
  B:
    Type: Task
    Resource: r
    Retry:
    - *one
    - ErrorEquals: [F]
    Parameters: {}
    End: true
  C:
    Type: Task
    Retry: *retry
    Resource: r
""",
        """\
StartAt: A
States:
  A:
    Type: Task
    Resource: r
    Parameters: {}
    Retry: &retry
      - &one
        ErrorEquals: [E]
        MaxAttempts: 1
    End: true
  B:
    Type: Task
    Resource: r
    Parameters: {}
    Retry:
      - *one
      - ErrorEquals: [F]
    End: true
  C:
    Type: Task
    Resource: r
    Retry: *retry
""",
    ),
    "comments at the end": (
        """\
StartAt: A
States:
  A:
    Next: A
    Type: Pass
    # inside A

# outside


# bottom
""",
        """\
StartAt: A
States:
  A:
    Type: Pass
    Next: A
  # inside A

# outside

# bottom
""",
    ),
}


@pytest.mark.parametrize("case", JSON_CASES)
def test_json(case: str) -> None:
    text, expected = (each.replace("LONG", "x" * 32) for each in JSON_CASES[case])
    assert formatted(text, "m.asl.json") == expected
    assert formatted(expected, "m.asl.json") == expected


@pytest.mark.parametrize("case", YAML_CASES)
def test_yaml(case: str) -> None:
    text, expected = YAML_CASES[case]
    assert formatted(text, "m.asl.yaml") == expected
    assert formatted(expected, "m.asl.yaml") == expected


def test_line_ends_and_marks() -> None:
    text, expected = JSON_CASES["comments"]
    assert formatted("\ufeff" + text.replace("\n", "\r\n"), "m.asl.json") == expected
    text, expected = YAML_CASES["comments at the end"]
    assert formatted(text.replace("\n", "\r\n"), "m.asl.yaml") == expected


def test_every_field_has_its_place() -> None:
    """Only the operators of choice rules have none: they come where they are."""
    names: set[str] = set()

    def collect(record: Record) -> None:
        for field in record.table:
            inner: Any = field.kind.of if isinstance(field.kind, Items) else field.kind
            names.add(field.name)
            if isinstance(inner, Record) and field.name not in ("And", "Or", "Not"):
                collect(inner)

    for record in (MACHINE, *TABLES.values()):
        collect(record)
    operators = {name for name in names if name.startswith(("String", "Numeric", "Boolean", "Is"))}
    operators |= {name for name in names if name.startswith("Timestamp") and name not in ("Timestamp", "TimestampPath")}
    assert names - operators - set(ORDER) == set()
    assert len(ORDER) == len(set(ORDER)) and set(ORDER) - names == {"<<"}


@pytest.mark.parametrize("text", ["{", "[]", "", '{"a": 1, "a": 2}', "a: ["])
@pytest.mark.parametrize("name", ["m.asl.json", "m.asl.yaml"])
def test_what_cannot_be_read(text: str, name: str) -> None:
    with pytest.raises(DefinitionError):
        formatted(text, name)


@pytest.mark.parametrize(
    "text",
    [
        "? StartAt\n: A\nStates: {}\n",
        # the alias would come before its anchor
        "StartAt: A\nStates:\n  A:\n    Type: Task\n    Retry: &a []\n    Parameters: *a\n",
        "Comment: a\x85b\nStates: {}\n",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    with pytest.raises(CannotFormat):
        formatted(text, "m.asl.yaml")


def test_a_definition_as_text() -> None:
    definition = {"States": {"A": {"End": True, "Type": "Pass", "Output": "{% $x %}"}}, "StartAt": "A"}
    assert as_json(definition) == formatted(json.dumps(definition), "m.asl.json")
    assert as_yaml(definition) == ("StartAt: A\nStates:\n  A:\n    Type: Pass\n    Output: '{% $x %}'\n    End: true\n")


# --- laws -------------------------------------------------------------------------------------------------

WORDS = [
    "A",
    "$.a",
    "{% $states.input %}",
    "true",
    "null",
    "1e3",
    "- x",
    "# no",
    "a: b",
    "it's",
    '"',
    "{}",
    " ",
    "\xa0",
]
LETTERS = st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f\x85\u2028\u2029\ufeff")
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(LETTERS, max_size=30))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 10**6), st.sampled_from([0.5, -1e-7, 2.0]), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
RULES = st.fixed_dictionaries(
    {"Next": TEXTS}, optional={"Variable": TEXTS, "IsPresent": st.booleans(), "Comment": TEXTS, "Odd": VALUES}
)


def shuffled(members: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.permutations(list(members.items())).map(dict)


def machines(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = {
        "Type": st.sampled_from([*TABLES, "Unknown"]),
        "Next": TEXTS,
        "Comment": TEXTS,
        "Parameters": VALUES,
        "Result": VALUES,
        "Choices": st.lists(RULES, max_size=3),
        "Retry": st.lists(RULES, max_size=2),
        "Branches": st.lists(inner, max_size=2),
        "Iterator": inner,
    }
    states = st.dictionaries(
        TEXTS, st.fixed_dictionaries({}, optional=fields).flatmap(shuffled), min_size=1, max_size=3
    )
    members = st.fixed_dictionaries({"States": states}, optional={"StartAt": TEXTS, "Comment": TEXTS, "x": VALUES})
    return members.flatmap(shuffled)


MACHINES = machines(machines(st.just({"States": {}})))


def commented(text: str, sign: str, chance: random.Random) -> str:
    """Comments above and behind lines, and blank lines."""
    lines = []
    for line in text.split("\n"):
        if chance.random() < 0.15:
            margin = chance.choice([0, 2, len(line) - len(line.lstrip()), 7])
            lines.append(" " * margin + f"{sign} note {chance.randint(0, 99)}")
        if chance.random() < 0.05:
            lines.append("")
        lines.append(line + f"  {sign} eol" if line.strip() and chance.random() < 0.1 else line)
    return "\n".join(lines)


def keeps_the_law(text: str, name: str, *comments: str) -> None:
    made = formatted(text, name)
    assert formatted(made, name) == made
    assert equal(read_source(made, name).value, read_source(text, name).value)
    assert [made.count(comment) for comment in comments] == [text.count(comment) for comment in comments]


@settings(derandomize=True, max_examples=80, deadline=None)
@given(MACHINES, st.integers(0, 2**32), st.sampled_from([None, 1, 4]))
def test_laws_of_json(machine: Any, seed: int, indent: int | None) -> None:
    text = json.dumps(machine, indent=indent, ensure_ascii=seed % 2 == 0)
    keeps_the_law(text, "m.asl.json")
    if indent is not None:
        keeps_the_law(commented(text, "//", random.Random(seed)), "m.asl.json", "// note", "// eol")


def as_written(machine: Any, layout: tuple[int, int, int]) -> str:
    """In YAML; what is shared would be written as an alias."""
    writer = YAML()
    writer.width = 1 << 20
    writer.map_indent, writer.sequence_indent, writer.sequence_dash_offset = layout
    text = io.StringIO()
    writer.dump(json.loads(json.dumps(machine)), text)
    return text.getvalue()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(MACHINES, st.integers(0, 2**32), st.sampled_from([(2, 2, 0), (2, 4, 2), (4, 4, 0), (4, 6, 4)]))
def test_laws_of_yaml(machine: Any, seed: int, layout: tuple[int, int, int]) -> None:
    text = as_written(machine, layout)
    keeps_the_law(text, "m.asl.yaml")
    keeps_the_law(commented(text, "#", random.Random(seed)), "m.asl.yaml", "# note", "# eol")
