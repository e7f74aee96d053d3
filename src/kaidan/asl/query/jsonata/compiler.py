"""The syntax tree to closures, once. A closure takes the context and a frame: `evaluate(data, frame)`.

How deep evaluation nests inside a function is known while it is compiled: `level` counts it from the function's body,
as the reference implementation would. Only where a call could pass the limit is the function compiled again, `checked`,
with every node looking how deep it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kaidan.asl.query.jsonata import paths, stages, tuples
from kaidan.asl.query.jsonata.analysis import bound_within
from kaidan.asl.query.jsonata.calls import (
    Closure,
    Composition,
    Native,
    PartialFunction,
    Procedure,
    TailCall,
    invoke,
)
from kaidan.asl.query.jsonata.errors import STACK_OVERFLOW, JsonataError, LimitExceeded, fail
from kaidan.asl.query.jsonata.functions.matching import Matcher
from kaidan.asl.query.jsonata.functions.table import BUILTINS
from kaidan.asl.query.jsonata.limits import DEPTH, RUN, UNSET, Frame, check_depth
from kaidan.asl.query.jsonata.nodes import (
    Apply,
    Array,
    Binary,
    Bind,
    Block,
    Call,
    Condition,
    Descendants,
    Filter,
    Group,
    Index,
    Lambda,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Parent,
    Partial,
    Path,
    Regex,
    Sort,
    Transform,
    Variable,
    Wildcard,
)
from kaidan.asl.query.jsonata.operators import binary, fused, negate
from kaidan.asl.query.jsonata.regex import compile_regex
from kaidan.asl.query.jsonata.scope import Evaluate, Scope, assignment, variable
from kaidan.asl.query.jsonata.shapes import (
    called_name,
    constant_text,
    first_name,
    gives_sequences,
    is_bare_name,
    plain_field,
)
from kaidan.asl.query.jsonata.signature import Signature
from kaidan.asl.query.jsonata.transform import transformer
from kaidan.asl.query.jsonata.values import (
    ARRAYS,
    UNDEFINED,
    Constructed,
    Function,
    Outer,
    Sequence,
    collapse,
    truthy,
)
from kaidan.values import JSON


@dataclass(frozen=True, slots=True)
class Settings:
    """What the whole of an expression is compiled with. `shadowed`: built-in functions that the caller has bound."""

    depth_max: int
    shadowed: frozenset[str] = frozenset()


def compile_root(node: Node, settings: Settings) -> tuple[Evaluate, list[JSON]]:
    """The closure of a whole expression, and the values its frame begins with."""
    scope = Scope(None, assigned=bound_within(node))
    compiler = Compiler(settings, checked=False)
    evaluate = compiler.compile(node, scope, 1)
    if compiler.height > settings.depth_max:
        evaluate = Compiler(settings, checked=True).compile(node, scope, 1)
    return evaluate, [UNSET] * scope.unset


class FunctionCode:
    """What all closures of one `function(…){…}` share (calls.Code)."""

    def __init__(self, node: Lambda, outer: Scope, settings: Settings) -> None:
        self._node = node
        self._settings = settings
        self._scope = Scope(outer, node.parameters, bound_within(node.body))
        self.parameters = len(node.parameters)
        self.signature = node.signature
        self.unset: list[JSON] = [UNSET] * self._scope.unset
        compiler = Compiler(settings, checked=False)
        self.body = compiler.compile(node.body, self._scope, 1, tail=True)
        self.height = compiler.height

    @cached_property
    def _checked_body(self) -> Evaluate:
        return Compiler(self._settings, checked=True).compile(self._node.body, self._scope, 1, tail=True)

    def checked_body(self) -> Evaluate:
        return self._checked_body


class Compiler:
    """Compiles the nodes of one function's body, or of the expression outside all functions."""

    def __init__(self, settings: Settings, *, checked: bool) -> None:
        self.settings = settings
        self.checked = checked
        self.height = 0

    def compile(self, node: Node, scope: Scope, level: int, *, tail: bool = False) -> Evaluate:
        """The closure of a node that stands `level` deep; with `tail` it may give a TailCall.

        It gives a value as JSONata sees it: a Sequence has at least two members, or is kept.
        """
        self.height = max(self.height, level)
        if level > self.settings.depth_max:
            return _overflow
        if tail:
            evaluate = self.tail(node, scope, level)
            if evaluate is not None:
                return evaluate
        hung = bool(node.predicates or node.group is not None or node.keep)
        evaluate = None if hung else self.final(node, scope, level)
        if evaluate is None:
            evaluate = self.raw(node, scope, level)
            if hung:
                evaluate = self.hung(node, evaluate, scope, level)
            if hung or gives_sequences(node):
                evaluate = paths.collapsed(evaluate)
        return _checked(evaluate, level) if self.checked else evaluate

    def hung(self, node: Node, evaluate: Evaluate, scope: Scope, level: int) -> Evaluate:
        """The closure with what hangs on the node: filters, a group, `[]`."""
        for predicate in node.predicates:
            evaluate = stages.filtered(evaluate, self.filter(predicate, scope, level, either=node.tuples))
        if node.group is not None and not isinstance(node, Path):
            evaluate = stages.filtered(evaluate, stages.group(self.pairs(node.group, scope, level)))
        return paths.keeping(evaluate) if node.keep else evaluate

    def final(self, node: Node, scope: Scope, level: int) -> Evaluate | None:
        """The closure of a node that sees to collapsing by itself, if it is of that kind."""
        match node:
            case Path():
                return self.fields(node, scope, level)
            case Variable():
                return self.variable(node.name, scope)
            case Call():
                return self.call(node, scope, level, final=True)
            case _:
                return None

    def raw(self, node: Node, scope: Scope, level: int) -> Evaluate:
        """The closure of a node without what hangs on it; a Sequence may still be short."""
        match node:
            case Literal():
                return _constant(node.value)
            case Name():
                return paths.field(node.value)
            case Variable():
                return self.variable(node.name, scope)
            case Wildcard():
                return paths.wildcard
            case Descendants():
                return paths.descendants
            case Parent():
                return variable(scope, node.slot.label, UNDEFINED)
            case Regex():
                return _constant(Matcher(compile_regex(node.pattern, node.flags)))
            case Path():
                return self.path(node, scope, level)
            case Sort():
                raise AssertionError("a sort is a step of a path")
            case Binary():
                return self.binary(node, scope, level)
            case Negate():
                return negate(self.compile(node.operand, scope, level + 1))
            case Array():
                return self.array(node, scope, level)
            case Object():
                return self.object(node, scope, level)
            case Block():
                return self.block(node, scope, level, tail=False)
            case Condition():
                return self.condition(node, scope, level, tail=False)
            case Bind():
                return assignment(scope, node.name, self.compile(node.value, scope, level + 1))
            case Call():
                return self.call(node, scope, level)
            case Partial():
                return self.partial(node, scope, level)
            case Lambda():
                return self.function(node, scope)
            case Apply():
                return self.apply(node, scope, level)
            case Transform():
                return self.transform(node, scope)

    def tail(self, node: Node, scope: Scope, level: int) -> Evaluate | None:
        """A node that a function ends with: a call there is left to the caller."""
        if node.predicates:
            return None
        evaluate: Evaluate | None = None
        if isinstance(node, Call):
            evaluate = self.tail_call(node, scope)
        elif isinstance(node, Condition):
            evaluate = paths.collapsed(self.condition(node, scope, level, tail=True))
        elif isinstance(node, Block):
            evaluate = paths.collapsed(self.block(node, scope, level, tail=True))
        return _checked(evaluate, level) if evaluate is not None and self.checked else evaluate

    # Operands

    def variable(self, name: str, scope: Scope) -> Evaluate:
        if name == "":
            return _context
        if name == "$":
            return _input
        builtin: JSON = UNSET if name in self.settings.shadowed else BUILTINS.get(name, UNSET)
        return variable(scope, name, builtin)

    def binary(self, node: Binary, scope: Scope, level: int) -> Evaluate:
        left = self.compile(node.left, scope, level + 1)
        right = self.compile(node.right, scope, level + 1)
        general = binary(node.operator, left, right)
        field, other = plain_field(node.left), plain_field(node.right)
        if self.checked or field is None:
            return general
        if other is not None:
            return fused(node.operator, field, other, None, general)
        if isinstance(node.right, Literal) and not node.right.predicates:
            return fused(node.operator, field, None, node.right.value, general)
        return general

    def array(self, node: Array, scope: Scope, level: int) -> Evaluate:
        items = [
            (self.compile(item, scope, level + 1), isinstance(item, Array) and not item.predicates)
            for item in node.items
        ]
        make: type[list[JSON]] = Constructed if node.constructs else list

        def evaluate(data: JSON, frame: Frame) -> JSON:
            result = make()
            run = frame[RUN]
            for evaluate_item, whole in items:
                value = evaluate_item(data, frame)
                if value is UNDEFINED:
                    continue
                if whole or value.__class__ not in ARRAYS:
                    result.append(value)
                else:
                    run.allot_members(len(value))
                    result += value
            run.bytes_left -= 8 * len(items)
            return result

        return evaluate

    def pairs(self, group: Group, scope: Scope, level: int) -> stages.Pairs:
        return [
            (self.compile(key, scope, level + 1), self.compile(value, scope, level + 1)) for key, value in group.pairs
        ]

    def object(self, node: Object, scope: Scope, level: int) -> Evaluate:
        pairs = self.pairs(node.members, scope, level)
        stage = stages.group(pairs)
        names = [constant_text(key) for key, _ in node.members.pairs]
        known = [name for name in names if name is not None]
        if len(set(known)) < len(names):
            return stage
        return stages.object_of(known, [value for _, value in pairs], stage)

    def block(self, node: Block, scope: Scope, level: int, *, tail: bool) -> Evaluate:
        bound = frozenset().union(*map(bound_within, node.expressions))
        inner = Scope(scope, assigned=bound) if bound else scope
        *before, last = [
            self.compile(part, inner, level + 1, tail=tail and part is node.expressions[-1])
            for part in node.expressions
        ] or [_constant(UNDEFINED)]
        if not bound and not before:
            return last
        unset = [UNSET] * inner.unset

        def evaluate(data: JSON, frame: Frame) -> JSON:
            if bound:
                frame = [frame[RUN], frame, frame[DEPTH], *unset]
            for part in before:
                part(data, frame)
            return last(data, frame)

        return evaluate

    def condition(self, node: Condition, scope: Scope, level: int, *, tail: bool) -> Evaluate:
        test = self.compile(node.test, scope, level + 1)
        then = self.compile(node.then, scope, level + 1, tail=tail)
        otherwise = _constant(UNDEFINED)
        if node.otherwise is not None:
            otherwise = self.compile(node.otherwise, scope, level + 1, tail=tail)

        def evaluate(data: JSON, frame: Frame) -> JSON:
            value = test(data, frame)
            if value is True or (value is not False and truthy(value)):
                return then(data, frame)
            return otherwise(data, frame)

        return evaluate

    # Functions

    def function(self, node: Lambda, scope: Scope) -> Evaluate:
        code = FunctionCode(node, scope, self.settings)
        return lambda data, frame: Closure(code, data, frame)

    def procedure(self, node: Node, scope: Scope, level: int, code: str) -> Evaluate:
        """What is to be called. A field of a function's name that is nothing is an error that helps (T1005, T1007)."""
        evaluate = self.compile(node, scope, level)
        name = first_name(node)
        if name is None:
            return evaluate
        meant = self.variable(name, scope)

        def helpful(data: JSON, frame: Frame) -> JSON:
            function = evaluate(data, frame)
            if function is UNDEFINED and (truthy(value := meant(data, frame)) or isinstance(value, Function)):
                fail(code, token=name)
            return function

        return helpful

    def call(
        self, node: Call, scope: Scope, level: int, first: Evaluate | None = None, *, final: bool = False
    ) -> Evaluate:
        """A call; `first` gives an argument to put before the others, `final` asks for a collapsed value."""
        procedure = self.procedure(node.procedure, scope, level + 1, "T1005")
        arguments = [self.compile(argument, scope, level + 1) for argument in node.arguments]
        if first is not None:
            arguments = [first, *arguments]
        name = called_name(node.procedure)
        builtin = self.builtin(node.procedure, scope)
        if builtin is not None:
            return _builtin_call(builtin, arguments, level, final)

        def evaluate(data: JSON, frame: Frame) -> JSON:
            function = procedure(data, frame)
            given = [argument(data, frame) for argument in arguments]
            value = invoke(frame[RUN], function, given, frame[DEPTH] + level, data, name)
            return collapse(value) if final and value.__class__ is Sequence and len(value) < 2 else value

        return evaluate

    def builtin(self, node: Node, scope: Scope) -> Native | None:
        """The built-in function that a name is sure to mean."""
        if not isinstance(node, Variable) or node.predicates or node.group or node.name in self.settings.shadowed:
            return None
        return None if scope.getters(node.name) else BUILTINS.get(node.name)

    def tail_call(self, node: Call, scope: Scope) -> Evaluate:
        procedure = self.compile(node.procedure, scope, 1)
        arguments = [self.compile(argument, scope, 1) for argument in node.arguments]
        name = called_name(node.procedure)

        def evaluate(data: JSON, frame: Frame) -> JSON:
            function = procedure(data, frame)
            return TailCall(function, [argument(data, frame) for argument in arguments], name)

        return evaluate

    def partial(self, node: Partial, scope: Scope, level: int) -> Evaluate:
        arguments = [
            _constant(UNSET) if argument is None else self.compile(argument, scope, level + 1)
            for argument in node.arguments
        ]
        procedure = self.procedure(node.procedure, scope, level + 1, "T1007")

        def evaluate(data: JSON, frame: Frame) -> JSON:
            given = [argument(data, frame) for argument in arguments]
            function = procedure(data, frame)
            return PartialFunction(function, given) if isinstance(function, Procedure) else fail("T1008")

        return evaluate

    def apply(self, node: Apply, scope: Scope, level: int) -> Evaluate:
        left = self.compile(node.left, scope, level + 1)
        if isinstance(node.right, Call):
            return self.call(node.right, scope, level, left)
        right = self.compile(node.right, scope, level + 1)

        def evaluate(data: JSON, frame: Frame) -> JSON:
            value = left(data, frame)
            function = right(data, frame)
            if not isinstance(function, Function):
                fail("T2006", value=function)
            if isinstance(value, Function):
                return Composition(value, function)
            return invoke(frame[RUN], function, [value], frame[DEPTH] + level)

        return evaluate

    def transform(self, node: Transform, scope: Scope) -> Evaluate:
        inner = Scope(scope)
        compiler = Compiler(self.settings, checked=True)
        pattern = compiler.compile(node.pattern, inner, 1)
        update = compiler.compile(node.update, inner, 1)
        delete = None if node.delete is None else compiler.compile(node.delete, inner, 1)
        return transformer(pattern, update, delete, self.variable("clone", scope))

    # Paths

    def path(self, node: Path, scope: Scope, level: int) -> Evaluate:
        first_tuple = next((at for at, step in enumerate(node.steps) if step.tuples), None)
        keep = node.keep_singleton or node.keep
        if first_tuple is not None:
            return self.tuple_path(node, first_tuple, scope, level, keep)
        evaluate = self.plain_path(node, node.steps, scope, level, keep)
        if node.group is not None:
            return stages.filtered(evaluate, stages.group(self.pairs(node.group, scope, level)))
        return evaluate

    def fields(self, node: Path, scope: Scope, level: int) -> Evaluate | None:
        """The fast form of paths that are nothing but names, perhaps from a variable on."""
        head, *rest = node.steps
        names = node.steps if isinstance(head, Name) else rest
        if self.checked or node.keep_singleton or not names or not all(map(is_bare_name, names)):
            return None
        self.height = max(self.height, level + 1)
        fields = [name.value for name in names if isinstance(name, Name)]
        if isinstance(head, Name):
            return paths.field(fields[0]) if len(fields) == 1 else paths.fields_path(fields, None)
        if isinstance(head, Variable) and not (head.stages or head.keep or head.tuples):
            start = self.compile(head, scope, level + 1)
            return paths.field_of(start, fields[0]) if len(fields) == 1 else paths.fields_path(fields, start)
        return None

    def plain_path(self, node: Path, nodes: list[Node], scope: Scope, level: int, keep: bool) -> Evaluate:
        """The path through the first of its steps, which bind nothing."""
        first = None
        absolute = isinstance(node.steps[0], Variable)
        if nodes and nodes[0].constructs:
            first = self.compile(nodes[0], scope, level + 1)
            nodes = nodes[1:]
        steps = [self.step(step, scope, level, last=step is node.steps[-1]) for step in nodes]
        return paths.plain_path(steps, first, absolute, keep)

    def step(self, node: Node, scope: Scope, level: int, *, last: bool) -> paths.Step:
        filters = [self.filter(stage, scope, level) for stage in node.stages if isinstance(stage, Filter)]
        if isinstance(node, Sort):
            return paths.sort_step(self.terms(node, scope, level), filters)
        if is_bare_name(node) and isinstance(node, Name):
            self.height = max(self.height, level + 1)
            if self.checked and level >= self.settings.depth_max:
                return paths.general_step(_overflow, [], last)
            return paths.field_step(node.value, last)
        return paths.general_step(self.compile(node, scope, level + 1), filters, last)

    def terms(self, node: Sort, scope: Scope, level: int) -> list[tuple[bool, Evaluate]]:
        return [(descending, self.compile(key, scope, level + 1)) for descending, key in node.terms]

    def filter(self, node: Filter, scope: Scope, level: int, *, either: bool = False) -> stages.Stage:
        test = node.test
        if isinstance(test, Literal) and test.value.__class__ in (int, float) and not test.predicates:
            return stages.position_filter(test.value)
        if either:
            return tuples.either_filter(self.compile(test, Scope(scope, tuples=True), level + 1))
        return stages.test_filter(self.compile(test, scope, level + 1))

    def tuple_path(self, node: Path, at: int, scope: Scope, level: int, keep: bool) -> Evaluate:
        before = self.plain_path(node, node.steps[:at], scope, level, False)
        if at == 0:
            before = _members_of_context if not isinstance(node.steps[0], Variable) else _context_alone
        inner = Scope(scope, tuples=True)
        steps: list[tuples.TupleStepping] = []
        for step in node.steps[at:]:
            steps.append(self.tuple_step(step, inner, level, first=not steps))
        grouping = None
        if node.group is not None:
            grouping = tuples.tuple_group(self.pairs(node.group, inner, level))
        return tuples.tuple_path(before, steps, as_tuples=node.tuples, keep=keep, grouping=grouping)

    def tuple_step(self, node: Node, scope: Scope, level: int, *, first: bool) -> tuples.TupleStepping:
        after: list[tuples.TupleStage] = [self.tuple_stage(stage, scope, level) for stage in node.stages]
        if isinstance(node, Sort):
            return tuples.tuple_sort(self.terms(node, scope, level), node.index, first, after)
        label = None if node.ancestor is None else node.ancestor.label
        return tuples.TupleStep(self.compile(node, scope, level + 1), node.focus, node.index, label, after)

    def tuple_stage(self, stage: Filter | Index, scope: Scope, level: int) -> tuples.TupleStage:
        if isinstance(stage, Index):
            return tuples.index_stage(stage.name)
        test = stage.test
        if isinstance(test, Literal) and test.value.__class__ in (int, float) and not test.predicates:
            return stages.position_filter(test.value)
        return tuples.tuple_filter(self.compile(test, scope, level + 1))


def _builtin_call(function: Native, arguments: list[Evaluate], level: int, final: bool) -> Evaluate:
    signature: Signature | None = function.signature
    implementation, name = function.implementation, function.name
    if signature is None:
        raise AssertionError("built-in functions have signatures")
    fit = signature.fit

    def evaluate(data: JSON, frame: Frame) -> JSON:
        given = [argument(data, frame) for argument in arguments]
        run = frame[RUN]
        try:
            fitted = fit(given, data)
            run.depth = frame[DEPTH] + level
            value = implementation(run, *fitted)
        except JsonataError as problem:
            raise problem.within(name) from None
        return collapse(value) if final and value.__class__ is Sequence and len(value) < 2 else value

    return evaluate


def _checked(evaluate: Evaluate, level: int) -> Evaluate:
    def checking(data: JSON, frame: Frame) -> JSON:
        check_depth(frame, level)
        return evaluate(data, frame)

    return checking


def _overflow(data: JSON, frame: Frame) -> JSON:
    raise LimitExceeded(STACK_OVERFLOW)


def _constant(value: JSON) -> Evaluate:
    return lambda data, frame: value


def _context(data: JSON, frame: Frame) -> JSON:
    """`$`"""
    return data[0] if data.__class__ is Outer else data


def _input(data: JSON, frame: Frame) -> JSON:
    """`$$`"""
    return frame[RUN].input


def _members_of_context(data: JSON, frame: Frame) -> JSON:
    return data if data.__class__ in ARRAYS else Sequence((data,))


def _context_alone(data: JSON, frame: Frame) -> JSON:
    return Sequence((data,))
