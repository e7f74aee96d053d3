"""Fields of one state, compiled in JSONata: what differs from the JSONPath dialect."""

from __future__ import annotations

from kaidan.asl.language.compile_path import PathCompiler
from kaidan.asl.states.dataflow import Definition, Flow
from kaidan.asl.states.jsonata_flow import ExpressionValue, JsonataCatchFlow, JsonataFlow, compile_template
from kaidan.asl.states.recovery import Catcher, Catchers
from kaidan.asl.states.state import ChoiceTest, Items, Template, Value
from kaidan.errors import QUERY_EVALUATION_ERROR, StateError
from kaidan.values import JSON, Payload, dumps

_EXPECTED = {
    "Seconds": "number",
    "Timestamp": "string",
    "TimeoutSeconds": "number",
    "HeartbeatSeconds": "number",
    "MaxConcurrency": "number",
    "ToleratedFailureCount": "number",
    "ToleratedFailurePercentage": "number",
    "MaxItems": "number",
    "MaxItemsPerBatch": "number",
    "MaxInputBytesPerBatch": "number",
    "Error": "string",
    "Cause": "string",
    "RoleArn": "string",
    **dict.fromkeys(("ItemReader/Arguments", "ResultWriter/Arguments"), "object"),
}
"""The JSON type that the value of an expression must have in these fields."""


class JsonataCompiler(PathCompiler):
    """Compiles the fields of one state in JSONata."""

    def flow(self, definition: Definition, *, parameters: str | None = None, place: str = "") -> Flow:
        """`$states.result` is there where something gives one: in Task, Parallel and Map."""
        return JsonataFlow(definition, has_result=definition.get("Type") in ("Task", "Parallel", "Map"), place=place)

    def choice(self, rule: Definition, place: str) -> ChoiceTest:
        condition = compile_template(rule["Condition"], place + "Condition", "boolean")
        return lambda visit, effective: condition({"input": visit.input.value}, visit.env) is True

    def value(self, definition: Definition, field: str) -> Value | None:
        return ExpressionValue(definition[field], field, _EXPECTED.get(field)) if field in definition else None

    def items(self, definition: Definition, *, objects: bool = False) -> Items:
        if "Items" in definition:
            evaluate = compile_template(definition["Items"], "Items", None if objects else "array")
            return lambda visit, effective: _array(evaluate({"input": visit.input.value}, visit.env), objects)
        return lambda visit, effective: _array(effective.value, objects)

    def item_selector(self, definition: Definition) -> Template | None:
        return self.template(definition["ItemSelector"], "ItemSelector") if "ItemSelector" in definition else None

    def template(self, value: JSON, location: str) -> Template:
        build = compile_template(value, location, _EXPECTED.get(location))
        return lambda visit, effective: Payload(build({"input": visit.input.value}, visit.env))

    def catchers(self, definition: Definition) -> Catchers:
        return tuple(
            Catcher(tuple(entry["ErrorEquals"]), entry["Next"], JsonataCatchFlow(entry, place=f"Catch[{index}]/"))
            for index, entry in enumerate(definition.get("Catch", ()))
        )


def _array(value: JSON, objects: bool) -> JSON:
    if isinstance(value, (list, dict) if objects else list):
        return value
    cause = f"Map state input must be an array but was: {dumps(value)}"
    raise StateError(QUERY_EVALUATION_ERROR, cause, located=True)
