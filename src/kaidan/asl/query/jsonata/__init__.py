"""JSONata as Step Functions runs it: expression text to a program that can be evaluated again and again.

    program = compile_expression("$sum($states.input.items.(price * quantity))")
    program.evaluate(UNDEFINED, {"states": {"input": {…}}}, env)

Version 2.0.6 of the language, without `$eval`, with the functions that Step Functions adds. The room knows nothing of
states or of fields: what a failed evaluation is called there is the caller's to say.
"""

from kaidan.asl.query.jsonata.analysis import free_variables, top_level_references
from kaidan.asl.query.jsonata.errors import JsonataError, JsonataSyntaxError, LimitExceeded
from kaidan.asl.query.jsonata.limits import Limits
from kaidan.asl.query.jsonata.nodes import Node
from kaidan.asl.query.jsonata.parser import parse
from kaidan.asl.query.jsonata.program import Program, compile_expression
from kaidan.asl.query.jsonata.values import UNDEFINED, Undefined, is_function

__all__ = [
    "UNDEFINED",
    "JsonataError",
    "JsonataSyntaxError",
    "LimitExceeded",
    "Limits",
    "Node",
    "Program",
    "Undefined",
    "compile_expression",
    "free_variables",
    "is_function",
    "parse",
    "top_level_references",
]
