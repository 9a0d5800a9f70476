"""Computes expressions from values that are given, with HCL2's meaning; never acts on anything.

Where Packer's meaning depends on a type that plain Python values do not carry (tuple, list or set; object or
map), or a result could differ from Packer's in its last digit, the answer is ``NotEvaluable``, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact, Overflow, localcontext

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
from .values import (
    COMPARISONS,
    Function,
    NotEvaluable,
    Refused,
    SetOf,
    Value,
    WrongExpression,
    arithmetic,
    equal,
    normal,
    to_bool,
    to_number,
    to_python,
    to_text,
    unify,
)

MAX_STEPS = 200_000
"""How many nodes are computed in loops, and kilobytes of text made, before a value counts as endless."""
_EXACT = Context(prec=150, traps=[Inexact, Overflow])


def compute(
    node: Node, scope: Mapping[str, object], functions: Mapping[str, Function] | None = None
) -> Value:
    """The value of an expression.

    Args:
        node: the expression.
        scope: the values of its variables by root name, such as ``{"var": {"name": "debian"}}``.
        functions: the functions it may call, by name, and ``can`` and ``try``; without it, none.

    Raises:
        NotEvaluable: it refers to what is not in the scope, calls another function, is wrong, or takes
            too long.
    """
    try:
        with localcontext(_EXACT):
            return to_python(_Evaluator(functions).value(node, scope))
    except Refused as reason:
        raise WrongExpression(str(reason), line=node.line) from None
    except (Inexact, Overflow):
        raise NotEvaluable("the result is not exact", line=node.line) from None
    except RecursionError:
        raise NotEvaluable("nested too deep", line=node.line) from None


class _Evaluator:
    def __init__(self, functions: Mapping[str, Function] | None) -> None:
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
        return normal(node.value) if isinstance(node.value, str) else node.value

    def _template(self, node: Template, scope: Mapping[str, object]) -> str:
        text = normal("".join([to_text(self.value(part, scope)) for part in node.parts]))
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
                if isinstance(source, SetOf):
                    raise NotEvaluable("only Packer knows the order of a set")
                items = [] if source is None else source if isinstance(source, list) else [source]
                if not items and step.steps:
                    raise NotEvaluable("only Packer knows the type of the elements of an empty list")
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
        if node.operator == "!":
            return not to_bool(operand)
        number = to_number(operand)
        return -number if number and isinstance(number, int) else Decimal(number).copy_negate()

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
        if operator in COMPARISONS:
            return COMPARISONS[operator](one, other)
        return arithmetic(operator, one, other)

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
        functions = self._functions or {}
        if self._functions is not None and node.name in ("can", "try"):
            return self._attempt(node, scope)
        function = functions.get(node.name)
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
        return normal(result) if isinstance(result, str) else result

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
        elif isinstance(collection, SetOf):
            raise NotEvaluable("only Packer knows the order of a set")
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
