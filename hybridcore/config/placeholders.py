"""Overlay templates, ``*.pkrvars.hcl.tmpl``: ``${name}`` stands for a value of the caller.

Outside a string it becomes the HCL literal of the value; inside a quoted string or heredoc it becomes the
text of a string, number or bool, escaped as that place needs. ``$${`` is HCL's own escape and stays. A
value can therefore never change the structure of the file.
"""

from __future__ import annotations

import re

from .. import hcl
from ..errors import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..hcl import Value

_PIECE = re.compile(
    r"""(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
      |(?P<string>"(?:\\.|[^"\\\n])*")
      |(?P<heredoc><<-?(?P<mark>[^\W\d][\w-]*)\r?\n.*?\n[ \t]*(?P=mark)(?=\r?\n|\Z))
      |(?P<placeholder>\$\{(?P<name>[^{}\n]*)\})""",
    re.VERBOSE | re.DOTALL,
)
_INNER = re.compile(r"\$\$\{|\$\{(?P<name>[^{}\n]*)\}")
_NAME = re.compile(r"[^\W\d][\w-]*")


def facts(target: str, env: str) -> dict[str, str]:
    """The values that every overlay template may use besides the caller's."""
    os, platform, name = target.split("/")
    return {"target": target, "os": os, "platform": platform, "name": name, "env": env}


def fill(text: str, given: Mapping[str, Value], file: str, faults: list[Fault]) -> tuple[str, set[str]]:
    """Put values into an overlay template.

    Args:
        text: the template.
        given: the values by name.
        file: the template's name, for faults.
        faults: where to add what is wrong: a placeholder without a value, or one that does not fit.

    Returns:
        The text, with as many lines as the template, and the names that it uses.
    """
    used: set[str] = set()

    def value(name: str, offset: int, inside: str) -> str:
        name = name.strip()
        line = text.count("\n", 0, offset) + 1
        if not _NAME.fullmatch(name):
            faults.append(
                Fault(
                    f"${{{name}}}: a placeholder is a plain name",
                    file=file,
                    line=line,
                    hint="write $${ for a literal ${",
                )
            )
            return "0"
        used.add(name)
        if name not in given:
            hint = f"give it in vars; there are: {', '.join(sorted(given))}"
            faults.append(Fault(f"${{{name}}}: there is no value for it", file=file, line=line, hint=hint))
            return "0"
        raw = given[name]
        if not inside:
            return literal(raw)
        if isinstance(raw, dict | list | None) or (inside == "heredoc" and "\n" in str(raw)):
            what = "one line of text" if inside == "heredoc" else "a string, number or bool"
            faults.append(Fault(f"${{{name}}}: expected {what} inside a {inside}", file=file, line=line))
            return "0"
        if not isinstance(raw, str):
            return hcl.dumps_value(raw)
        if inside == "heredoc":
            return raw.replace("${", "$${").replace("%{", "%%{")
        return hcl.dumps_value(raw)[1:-1]

    def piece(match: re.Match[str]) -> str:
        if match["comment"] is not None:
            return match.group()
        if match["placeholder"] is not None:
            return value(match["name"], match.start(), "")
        start = match.start()
        inside = "heredoc" if match["heredoc"] is not None else "string"
        return _INNER.sub(
            lambda inner: (
                inner.group()
                if inner["name"] is None
                else value(inner["name"], start + inner.start(), inside)
            ),
            match.group(),
        )

    return _PIECE.sub(piece, text), used


def literal(value: Value) -> str:
    """A value as HCL on one line, so that the lines of a file keep their numbers."""
    if isinstance(value, dict):
        parts = [f"{hcl.dumps_value(str(name))} = {literal(item)}" for name, item in value.items()]
        return "{ " + ", ".join(parts) + " }" if parts else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return hcl.dumps_value(value)
