"""The ``validation`` blocks of variables: what can be evaluated here, with Packer's meaning."""

from __future__ import annotations

from .. import hcl
from ..errors import HclError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..hcl import Value
    from .declarations import Variable


def check(variable: Variable, value: Value) -> tuple[list[str], bool]:
    """Check a value against the validations of its variable.

    Args:
        variable: the variable.
        value: the value that Packer will see, converted to the variable's type.

    Returns:
        What is wrong, a sentence for each validation that fails, and whether a validation was left to
        ``packer validate`` because it cannot be evaluated here.
    """
    failures: list[str] = []
    left = False
    if variable.validations and variable.type.kind == "number" and isinstance(value, str):
        return [], True  # a number that has no literal in HCL, such as "inf"
    scope = {"var": {variable.name: value}}
    for validation in variable.validations:
        if validation.condition is None:
            left = True
            continue
        try:
            result = hcl.evaluate(validation.condition, scope)
        except hcl.NotEvaluable:
            left = True
            continue
        except HclError as error:
            failures.append(f"the condition cannot be evaluated: {error.message}")
            continue
        if result is False or result == "false":
            failures.append(validation.message or f"the condition {validation.condition.expression} is false")
        elif result is not True and result != "true":
            left = True
    return failures, left
