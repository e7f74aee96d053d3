"""Tokens to a syntax tree, by operator precedence: what a token means at the start of an operand, and what after one.

`_PREFIX` and `_INFIX` are the whole grammar; build.py puts the nodes together. Source: JSONata 2.0.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from kaidan.asl.query.jsonata import build
from kaidan.asl.query.jsonata.errors import JsonataSyntaxError
from kaidan.asl.query.jsonata.nodes import (
    Apply,
    Array,
    Binary,
    Bind,
    Block,
    Call,
    Condition,
    Descendants,
    Group,
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
    Slot,
    Transform,
    Variable,
    Wildcard,
)
from kaidan.asl.query.jsonata.regex import compile_regex
from kaidan.asl.query.jsonata.regex_syntax import RegexSyntaxError
from kaidan.asl.query.jsonata.signature import Signature, SignatureError
from kaidan.asl.query.jsonata.tokens import BINDING_POWERS, Token, Tokenizer

NESTING_MAX: Final = 250
"""How deep operands may stand inside each other: far beyond what evaluation allows."""

_FUNCTION_WORDS: Final = ("function", "λ")


def parse(text: str, *, extended: bool = False) -> Node:
    """The syntax tree of an expression. Raises JsonataSyntaxError.

    `extended`: allow `??` and `?:` of JSONata 2.1, which Step Functions refuses.
    """
    try:
        return _Parser(text, extended).whole()
    except RecursionError:
        raise JsonataSyntaxError("S0501", 0) from None


class _Parser:
    def __init__(self, text: str, extended: bool) -> None:
        self.tokens = Tokenizer(text, extended=extended)
        self.token = Token("end", None, 0)
        self.step(operand=True)
        self.nesting = 0
        self.parents = 0
        self.problem: JsonataSyntaxError | None = None

    def whole(self) -> Node:
        node = self.expression(0)
        if self.token.kind != "end":
            raise JsonataSyntaxError("S0201", self.token.position, token=self.token.value)
        if self.problem is not None:
            raise self.problem
        if isinstance(node, Parent) or node.seeking:
            raise JsonataSyntaxError("S0217", node.position)
        return node

    # Reading tokens

    def expression(self, binding_power: int) -> Node:
        """An operand, and the operators after it that bind more strongly than what stands before it."""
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise JsonataSyntaxError("S0501", self.token.position)
        token = self.step(operand=False)
        left = _prefix(token)(self, token)
        while binding_power < _binding_power(self.token):
            token = self.step(operand=True)
            left = _INFIX[token.value](self, token, left)
        self.nesting -= 1
        return left

    def step(self, *, operand: bool) -> Token:
        """Take the token; `operand` says what may come behind it."""
        token = self.token
        self.token = self.tokens.next(operand=operand)
        if self.token.kind == "operator" and self.token.value in ("!", "~"):
            raise JsonataSyntaxError("S0204", self.token.position, token=self.token.value)
        return token

    def at(self, operator: str) -> bool:
        return self.token.kind == "operator" and self.token.value == operator

    def take(self, operator: str, *, operand: bool = True) -> None:
        """The token must be this operator."""
        if not self.at(operator):
            code = "S0203" if self.token.kind == "end" else "S0202"
            raise JsonataSyntaxError(code, self.token.position, value=operator, token=self.token.value)
        self.step(operand=operand)

    def listed(self, item: Callable[[], None], closing: str) -> None:
        """Items with commas between them, up to the closing bracket, which stays."""
        if self.at(closing):
            return
        item()
        while self.at(","):
            self.take(",")
            item()

    def built(self, make: Callable[[], Node], otherwise: Node) -> Node:
        """What cannot be put together is reported only if the text as a whole can be read."""
        try:
            return make()
        except JsonataSyntaxError as problem:
            self.problem = self.problem or problem
            return otherwise

    # Operands

    def literal(self, token: Token) -> Node:
        return Literal(position=token.position, value=token.value)

    def name(self, token: Token) -> Node:
        name = Name(position=token.position, value=token.value)
        return Path(position=token.position, steps=[name])

    def variable(self, token: Token) -> Node:
        return Variable(position=token.position, name=token.value)

    def regex(self, token: Token) -> Node:
        pattern, flags = token.value
        try:
            compile_regex(pattern, flags)
        except (RegexSyntaxError, RecursionError) as problem:
            raise JsonataSyntaxError("S0303", token.position, value=pattern, token=str(problem)) from None
        return Regex(position=token.position, pattern=pattern, flags=flags)

    def end(self, token: Token) -> Node:
        self.problem = self.problem or JsonataSyntaxError("S0207", token.position)
        return Literal(position=token.position, value="")

    def wildcard(self, token: Token) -> Node:
        return Wildcard(position=token.position)

    def descendants(self, token: Token) -> Node:
        return Descendants(position=token.position)

    def parent(self, token: Token) -> Node:
        self.parents += 1
        return Parent(position=token.position, slot=Slot(f"!{self.parents}"))

    def negate(self, token: Token) -> Node:
        operand = self.expression(70)
        if isinstance(operand, Literal) and operand.value.__class__ in (int, float):
            operand.value = -operand.value
            return operand
        node = Negate(position=token.position, operand=operand)
        build.inherit(node, operand)
        return node

    def block(self, token: Token) -> Node:
        node = Block(position=token.position, expressions=[])
        while not self.at(")"):
            part = self.expression(0)
            node.expressions.append(part)
            build.inherit(node, part)
            node.constructs |= part.constructs or (isinstance(part, Path) and part.steps[0].constructs)
            if not self.at(";"):
                break
            self.take(";")
        self.take(")", operand=False)
        return node

    def array(self, token: Token) -> Node:
        node = Array(position=token.position, items=[])

        def item() -> None:
            value = self.expression(0)
            if self.at(".."):
                value = self.binary(self.step(operand=True), value, "..")
            node.items.append(value)
            build.inherit(node, value)

        self.listed(item, "]")
        self.take("]", operand=False)
        return node

    def pairs(self) -> list[tuple[Node, Node]]:
        pairs: list[tuple[Node, Node]] = []

        def pair() -> None:
            key = self.expression(0)
            self.take(":")
            pairs.append((key, self.expression(0)))

        self.listed(pair, "}")
        self.take("}", operand=False)
        return pairs

    def object(self, token: Token) -> Node:
        pairs = self.pairs()
        node = Object(position=token.position, members=Group(pairs))
        for key, value in pairs:
            build.inherit(node, key)
            build.inherit(node, value)
        return node

    def transform(self, token: Token) -> Node:
        pattern = self.expression(0)
        self.take("|")
        update, delete = self.expression(0), None
        if self.at(","):
            self.take(",")
            delete = self.expression(0)
        self.take("|")
        return Transform(position=token.position, pattern=pattern, update=update, delete=delete)

    # Operators

    def binary(self, token: Token, left: Node, operator: str = "") -> Node:
        operator = operator or token.value
        right = self.expression(0 if operator == ".." else BINDING_POWERS[operator])
        node = Binary(position=token.position, operator=operator, left=left, right=right)
        build.inherit(node, left)
        build.inherit(node, right)
        return node

    def dot(self, token: Token, left: Node) -> Node:
        right = self.expression(BINDING_POWERS["."])
        return self.built(lambda: build.join(left, right), left)

    def brackets(self, token: Token, left: Node) -> Node:
        if self.at("]"):
            self.take("]")
            return build.keep_singleton(left)
        test = self.expression(0)
        self.take("]", operand=False)
        return self.built(lambda: build.filtered(left, test, token.position), left)

    def braces(self, token: Token, left: Node) -> Node:
        pairs = self.pairs()
        return self.built(lambda: build.grouped(left, pairs, token.position), left)

    def order(self, token: Token, left: Node) -> Node:
        terms: list[tuple[bool, Node]] = []

        def term() -> None:
            descending = self.at(">")
            if descending or self.at("<"):
                self.step(operand=True)
            terms.append((descending, self.expression(0)))

        self.take("(")
        self.listed(term, "")
        self.take(")")
        return self.built(lambda: build.ordered(left, terms, token.position), left)

    def bound_name(self, token: Token) -> str:
        node = self.expression(BINDING_POWERS[token.value])
        if not isinstance(node, Variable):
            raise JsonataSyntaxError("S0214", node.position, token=token.value)
        return node.name

    def focus(self, token: Token, left: Node) -> Node:
        name = self.bound_name(token)
        return self.built(lambda: build.focused(left, name, token.position), left)

    def index(self, token: Token, left: Node) -> Node:
        return build.indexed(left, self.bound_name(token))

    def bind(self, token: Token, left: Node) -> Node:
        if not isinstance(left, Variable) or left.predicates or left.group:
            raise JsonataSyntaxError("S0212", left.position)
        value = self.expression(BINDING_POWERS[":="] - 1)
        node = Bind(position=token.position, name=left.name, value=value)
        build.inherit(node, value)
        return node

    def condition(self, token: Token, test: Node) -> Node:
        then, otherwise = self.expression(0), None
        if self.at(":"):
            self.take(":")
            otherwise = self.expression(0)
        return _condition(token, test, then, otherwise)

    def elvis(self, token: Token, left: Node) -> Node:
        return _condition(token, left, left, self.expression(0))

    def coalesce(self, token: Token, left: Node) -> Node:
        exists = Variable(position=token.position, name="exists")
        test = Call(position=token.position, procedure=exists, arguments=[left])
        return _condition(token, test, left, self.expression(0))

    def apply(self, token: Token, left: Node) -> Node:
        right = self.expression(BINDING_POWERS["~>"])
        return Apply(position=token.position, left=left, right=right, keep=left.keep or right.keep)

    def call(self, token: Token, procedure: Node) -> Node:
        arguments: list[Node | None] = []

        def argument() -> None:
            if self.at("?"):
                self.take("?")
                arguments.append(None)
            else:
                arguments.append(self.expression(0))

        self.listed(argument, ")")
        self.take(")", operand=False)
        if _is_word(procedure, _FUNCTION_WORDS):
            return self.function(token, arguments)
        given = [argument for argument in arguments if argument is not None]
        node: Call | Partial
        if len(given) < len(arguments):
            node = Partial(position=token.position, procedure=procedure, arguments=arguments)
        else:
            node = Call(position=token.position, procedure=procedure, arguments=given)
        for part in given:
            build.inherit(node, part)
        return node

    def function(self, token: Token, arguments: list[Node | None]) -> Node:
        parameters = []
        for number, argument in enumerate(arguments, 1):
            if not isinstance(argument, Variable) or argument.predicates or argument.group:
                raise JsonataSyntaxError("S0208", self.token.position, value=number)
            parameters.append(argument.name)
        signature = self.signature() if self.at("<") else None
        self.take("{")
        body = self.expression(0)
        self.take("}")
        return Lambda(position=token.position, parameters=parameters, signature=signature, body=body)

    def signature(self) -> Signature:
        start, text, depth = self.token.position, "<", 1
        while depth > 0 and not self.at("{") and self.token.kind != "end":
            self.step(operand=True)
            depth += self.at("<") - self.at(">")
            text += str(self.token.value)
        self.take(">")
        try:
            return Signature(text)
        except SignatureError as problem:
            raise JsonataSyntaxError(problem.code, start + problem.offset, value=problem.value) from None


def _condition(token: Token, test: Node, then: Node, otherwise: Node | None) -> Node:
    node = Condition(position=token.position, test=test, then=then, otherwise=otherwise)
    for part in (test, then, otherwise):
        if part is not None:
            build.inherit(node, part)
    return node


def _is_word(node: Node, words: tuple[str, ...]) -> bool:
    if not isinstance(node, Path) or len(node.steps) != 1:
        return False
    step = node.steps[0]
    return isinstance(step, Name) and step.value in words and not step.stages


_Prefix: TypeAlias = Callable[[_Parser, Token], Node]
_Infix: TypeAlias = Callable[[_Parser, Token, Node], Node]

_OPERANDS: Final[dict[str, _Prefix]] = {
    "name": _Parser.name, "variable": _Parser.variable, "string": _Parser.literal, "number": _Parser.literal,
    "value": _Parser.literal, "regex": _Parser.regex, "end": _Parser.end,
}  # fmt: skip

_PREFIX: Final[dict[str, _Prefix]] = {
    "-": _Parser.negate, "*": _Parser.wildcard, "**": _Parser.descendants, "%": _Parser.parent, "(": _Parser.block,
    "[": _Parser.array, "{": _Parser.object, "|": _Parser.transform,
    "and": _Parser.name, "or": _Parser.name, "in": _Parser.name,
}  # fmt: skip

_INFIX: Final[dict[str, _Infix]] = {
    **dict.fromkeys(
        ("+", "-", "*", "/", "%", "=", "<", ">", "!=", "<=", ">=", "&", "and", "or", "in"), _Parser.binary
    ),
    ".": _Parser.dot, "[": _Parser.brackets, "{": _Parser.braces, "(": _Parser.call, "^": _Parser.order,
    "@": _Parser.focus, "#": _Parser.index, ":=": _Parser.bind, "?": _Parser.condition, "~>": _Parser.apply,
    "?:": _Parser.elvis, "??": _Parser.coalesce,
}  # fmt: skip


def _prefix(token: Token) -> _Prefix:
    if token.kind != "operator":
        return _OPERANDS[token.kind]
    if token.value not in _PREFIX:
        raise JsonataSyntaxError("S0211", token.position, token=token.value)
    return _PREFIX[token.value]


def _binding_power(token: Token) -> int:
    if token.kind != "operator" or token.value not in _INFIX:
        return 0
    return BINDING_POWERS[token.value]
