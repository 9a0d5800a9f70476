"""Differences between us and Packer that stay, each with its reason."""

from __future__ import annotations

import json
from typing import Any

from cases import Case
from judges import ERROR, Verdict

from hybridcore import hcl


def reason(case: Case, ours: Verdict, theirs: Verdict, version: str) -> str:
    """Why a difference is known; empty when it is not."""
    given, default = _value(case), _default(case)
    if given is None and case.value is not None and not ours.takes:
        return "null takes back what was given, so that a required variable has no value"
    if given is None and case.value is not None and ours.takes:
        return "null takes back what was given, so that the default stands"
    if isinstance(given, dict) and isinstance(default, dict) and default:
        return "a map is merged over the default"
    if _null_in_a_map(given):
        return "null takes a key of a map away"
    if "...)" in case.declaration and not ours.takes and "one argument for" in ours.words:
        return "a type with ... behind its argument is refused"
    if theirs.result == "(unreadable: <unknown>)":
        return "what comes of a null without a type is unknown to Packer 1.6"
    if "is there twice" in ours.words:
        return "an attribute that stands twice in a type is refused: one of them is a mistake"
    if f'var["{case.name}"]' in case.declaration and ours.takes:
        return 'a condition may say var["x"], which Packer refuses'
    if (
        case.value in ("1 / 0", "[1] == [1]", "5 % 0", "1e400 * 1e400", 'true ? "a" : upper("b")')
        and not ours.takes
    ):
        return "a value that only Packer can compute is refused in an overlay"
    return ""


def _value(case: Case) -> Any:
    if case.value is None:
        return None
    try:
        if case.json:
            return json.loads(case.value)
        return hcl.loads(f"x = {case.value}\n").attributes["x"].value
    except (hcl.HclError, hcl.NotEvaluable, ValueError):
        return ERROR


def _default(case: Case) -> Any:
    try:
        blocks = hcl.loads(case.declaration).blocks
        attributes = blocks[0].body.attributes
        return attributes[case.name if blocks[0].type == "variables" else "default"].value
    except (hcl.HclError, hcl.NotEvaluable, KeyError, IndexError):
        return None


def _null_in_a_map(value: Any) -> bool:
    if isinstance(value, dict):
        return any(item is None or _null_in_a_map(item) for item in value.values())
    return isinstance(value, list) and any(map(_null_in_a_map, value))
