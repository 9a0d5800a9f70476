"""Computes expressions from values that are given, with HCL2's meaning; never acts on anything.

Where Packer's meaning depends on a type that plain Python values do not carry (tuple, list or set; object or
map), or a result could differ from Packer's in its last digit, the answer is ``NotEvaluable``, never a guess.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact, Overflow, localcontext

from ..errors import HybridError
from .expressions import number
from .lexer import is_number_text
from .nodes import (
    Access,
    Binary,
    Call,
    Conditional,
    For,
    Join,
    ListNode,
    Literal,
    Node,
    ObjectNode,
    Splat,
    Template,
    Unary,
    Variable,
)

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
"""What an expression gives: text, numbers, truth values, ``None`` for null, lists, maps with text keys."""
Function = Callable[..., object]

MAX_STEPS = 200_000
"""How many nodes are computed in loops, and kilobytes of text made, before a value counts as endless."""
_EXACT = Context(prec=150, traps=[Inexact, Overflow])


class NotEvaluable(HybridError):
    """An expression cannot be computed here: Packer itself must do it, or it is wrong."""


class Refused(Exception):
    """A function or operator does not take these values. Caught by ``can`` and ``try`` as Packer does."""


def compute(
    node: Node, scope: Mapping[str, object], functions: Mapping[str, Function] | None = None
) -> Value:
    """The value of an expression.

    Args:
        node: the expression.
        scope: the values of its variables by root name, such as ``{"var": {"name": "debian"}}``.
        functions: the functions it may call, by name; without it, none.

    Raises:
        NotEvaluable: it refers to what is not in the scope, calls another function, is wrong, or takes
            too long.
    """
    try:
        with localcontext(_EXACT):
            return to_python(_Evaluator(functions or {}).value(node, scope))
    except Refused as reason:
        raise NotEvaluable(str(reason), line=node.line) from None
    except (Inexact, Overflow):
        raise NotEvaluable("the result is not exact", line=node.line) from None
    except RecursionError:
        raise NotEvaluable("nested too deep", line=node.line) from None


def to_python(value: object) -> Value:
    """A value with all its numbers as ``int`` or ``float``."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            if value.adjusted() > 20_000:
                raise Refused("the number is too large")
            return int(value)
        if value.adjusted() > 300:
            raise Refused("the number is too large")
        return float(value)
    if isinstance(value, list):
        return [to_python(item) for item in value]
    if isinstance(value, dict):
        return {key: to_python(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise Refused(f"{type(value).__name__} is not a value")


def is_number(value: object) -> bool:
    """Whether a value is a number (in Python, truth values are too)."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def to_number(value: object) -> int | Decimal:
    """A value as a number: strings are converted as Packer converts them."""
    if is_number(value):
        return value  # type: ignore[return-value]
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str) and is_number_text(value.removeprefix("-")):
        return number(value)
    raise Refused("a number is required")


def to_text(value: object) -> str:
    """A value as a string, as Packer prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int):
        return format(Decimal(value), "f")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    raise Refused("a string is required")


def to_bool(value: object) -> bool:
    """A value as a truth value; the strings "true" and "false" are converted."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise Refused("a bool is required")


def kind(value: object) -> object:
    """The shape of a value: equal for two values whose types are certainly equal, or ``None`` for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return ("list", *(kind(item) for item in value))
    if isinstance(value, dict):
        return ("map", *sorted((key, kind(item)) for key, item in value.items()))
    raise Refused(f"{type(value).__name__} is not a value")


def equal(left: object, right: object) -> bool:
    """``==``: values of different types differ; two collections of one kind are compared by Packer alone."""
    if left is None or right is None:
        return left is right
    for collection in (list, dict):
        if isinstance(left, collection) and isinstance(right, collection):
            raise NotEvaluable("only Packer knows whether these collections have the same type")
    if isinstance(left, str) and isinstance(right, str):
        return unicodedata.normalize("NFC", left) == unicodedata.normalize("NFC", right)
    return kind(left) == kind(right) and left == right


def unify(first: object, second: object) -> object:
    """The first of two results of a condition, in the type that both have in common."""
    one, other = kind(first), kind(second)
    if one == other or one is None or other is None:
        return first
    if "string" in (one, other) and isinstance(one, str) and isinstance(other, str):
        return to_text(first)
    if isinstance(one, str) or isinstance(other, str):
        raise Refused("the two results of the condition have different types")
    if isinstance(first, dict) and isinstance(second, dict):
        elements = {kind(value) for value in (*first.values(), *second.values())}
    elif isinstance(first, list) and isinstance(second, list):
        elements = {kind(value) for value in (*first, *second)}
    else:
        raise Refused("the two results of the condition have different types")
    if len(elements) > 1 or not elements <= {"bool", "number", "string"}:
        raise NotEvaluable("only Packer knows which type the two results of the condition have in common")
    return first


_ARITHMETIC: dict[str, Callable[[int | Decimal, int | Decimal], object]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _divide(operator: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if not right:
        raise Refused("division by zero")
    result = Decimal(left) / Decimal(right) if operator == "/" else Decimal(left) % Decimal(right)
    return int(result) if result == result.to_integral_value() else result


class _Evaluator:
    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._steps = 0
        self._loops = 0

    def spend(self, steps: int) -> None:
        """Counts work, so that no expression runs for ever."""
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise NotEvaluable("the expression takes too long")

    def value(self, node: Node, scope: Mapping[str, object]) -> object:
        """The value of a node in a scope; numbers are ``int`` or ``Decimal``."""
        if self._loops:  # without loops, a tree is computed once and needs no bound
            self.spend(1)
        method: Callable[[Node, Mapping[str, object]], object]
        method = getattr(self, "_" + type(node).__name__.lower())
        return method(node, scope)

    def _literal(self, node: Literal, scope: Mapping[str, object]) -> object:
        return node.value

    def _template(self, node: Template, scope: Mapping[str, object]) -> str:
        text = "".join([to_text(self.value(part, scope)) for part in node.parts])
        self.spend(len(text) // 1000)
        return text

    def _join(self, node: Join, scope: Mapping[str, object]) -> str:
        items = self.value(node.items, scope)
        return "".join([to_text(item) for item in items]) if isinstance(items, list) else ""

    def _variable(self, node: Variable, scope: Mapping[str, object]) -> object:
        if node.name not in scope:
            raise NotEvaluable(f'"{node.name}" is not known here', line=node.line)
        return scope[node.name]

    def _access(self, node: Access, scope: Mapping[str, object]) -> object:
        source = self.value(node.source, scope)
        first = node.steps[0]
        if isinstance(node.source, Variable) and isinstance(first, Literal) and isinstance(source, Mapping):
            name = first.value
            if name not in source:
                raise NotEvaluable(f'"{node.source.name}.{name}" is not known here', line=node.line)
        return self._walk(source, node.steps, scope)

    def _walk(self, source: object, steps: tuple[Node, ...], scope: Mapping[str, object]) -> object:
        for step in steps:
            if isinstance(step, Splat):
                items = [] if source is None else source if isinstance(source, list) else [source]
                source = [self._walk(item, step.steps, scope) for item in items]
            else:
                source = self._index(source, self.value(step, scope))
        return source

    @staticmethod
    def _index(source: object, key: object) -> object:
        if isinstance(source, Mapping):
            name = to_text(key)
            if name not in source:
                raise Refused(f'there is no "{name}"')
            return source[name]
        if isinstance(source, list):
            index = to_number(key)
            if not isinstance(index, int) or not 0 <= index < len(source):
                raise Refused(f"there is no element {index}")
            return source[index]
        raise Refused("only lists and maps have elements")

    def _unary(self, node: Unary, scope: Mapping[str, object]) -> object:
        operand = self.value(node.operand, scope)
        return not to_bool(operand) if node.operator == "!" else -to_number(operand)

    def _binary(self, node: Binary, scope: Mapping[str, object]) -> object:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        operator = node.operator
        if operator in ("==", "!="):
            return equal(left, right) == (operator == "==")
        if operator == "&&":
            return to_bool(left) & to_bool(right)
        if operator == "||":
            return to_bool(left) | to_bool(right)
        one, other = to_number(left), to_number(right)
        if operator in ("/", "%"):
            return _divide(operator, one, other)
        return _ARITHMETIC[operator](one, other)

    def _conditional(self, node: Conditional, scope: Mapping[str, object]) -> object:
        chosen, other = node.yes, node.no
        if not to_bool(self.value(node.condition, scope)):
            chosen, other = other, chosen
        result = self.value(chosen, scope)
        try:
            return unify(result, self.value(other, scope))
        except Refused as reason:
            # In Packer an error in what is not chosen is none, but its type can still change the result.
            raise NotEvaluable(str(reason), line=node.line) from None

    def _call(self, node: Call, scope: Mapping[str, object]) -> object:
        if node.name in ("can", "try"):
            return self._attempt(node, scope)
        function = self._functions.get(node.name)
        if function is None:
            raise NotEvaluable(f'the function "{node.name}" is left to Packer', line=node.line)
        arguments = [self.value(argument, scope) for argument in node.arguments]
        if node.expand:
            last = arguments.pop()
            if not isinstance(last, list):
                raise Refused("only a list can be expanded")
            arguments += last
        try:
            result = function(*arguments)
        except TypeError:
            raise Refused(f'"{node.name}" does not take {len(arguments)} arguments') from None
        self.spend(len(result) // 100 if isinstance(result, (str, list, dict)) else 0)
        return result

    def _attempt(self, node: Call, scope: Mapping[str, object]) -> object:
        for argument in node.arguments:
            try:
                result = self.value(argument, scope)
            except Refused:
                continue
            return True if node.name == "can" else result
        if node.name == "can":
            return False
        raise Refused("nothing that was tried has a value")

    def _listnode(self, node: ListNode, scope: Mapping[str, object]) -> object:
        items = []
        for item in node.items:  # a comprehension would be one more call for each level
            items.append(self.value(item, scope))
        return items

    def _objectnode(self, node: ObjectNode, scope: Mapping[str, object]) -> object:
        made = {}
        for key, value in node.items:
            made[to_text(self.value(key, scope))] = self.value(value, scope)
        return made

    def _for(self, node: For, scope: Mapping[str, object]) -> object:
        collection = self.value(node.collection, scope)
        if isinstance(collection, Mapping):
            pairs: list[tuple[object, object]] = sorted(collection.items())
        elif isinstance(collection, list):
            pairs = list(enumerate(collection))
        else:
            raise Refused("only a list or a map can be walked over")
        self._loops += 1
        result = self._iterate(node, pairs, scope)
        self._loops -= 1
        return result

    def _iterate(
        self, node: For, pairs: list[tuple[object, object]], scope: Mapping[str, object]
    ) -> list[object] | dict[str, object]:
        items: list[object] = []
        made: dict[str, object] = {}
        for key, value in pairs:
            inner = {**scope, node.value_name: value}
            if node.key_name:
                inner[node.key_name] = key
            if node.condition and not to_bool(self.value(node.condition, inner)):
                continue
            result = self.value(node.value, inner)
            if node.key is None:
                items.append(result)
                continue
            name = to_text(self.value(node.key, inner))
            if node.group:
                gathered = made.setdefault(name, [])
                if isinstance(gathered, list):
                    gathered.append(result)
            elif name in made:
                raise Refused(f'two items have the key "{name}"')
            else:
                made[name] = result
        return made if node.key is not None else items
