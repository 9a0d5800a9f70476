"""Reads and writes the HCL2 that Packer files use."""

from __future__ import annotations

from ..errors import HclError
from .evaluate import evaluate, parse_expression
from .parser import load, loads
from .structure import Attribute, Block, Body
from .values import NotEvaluable, Value, WrongExpression
from .writer import dumps, dumps_value

__all__ = [
    "Attribute",
    "Block",
    "Body",
    "HclError",
    "NotEvaluable",
    "Value",
    "WrongExpression",
    "dumps",
    "dumps_value",
    "evaluate",
    "load",
    "loads",
    "parse_expression",
]
