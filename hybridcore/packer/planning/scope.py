"""What can be known of a template's values before Packer runs: variables, locals, environment, files.

It is known to find out what a build reads, not to compute what it does: a text that is nearly right names the
same file. So functions are here that ``hcl`` leaves to Packer, such as ``formatlist`` and ``file``.
"""

from __future__ import annotations

import glob
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...hcl import HclError, NotEvaluable, loads
from ...hcl.evaluator import compute
from ...hcl.functions import FUNCTIONS
from ...hcl.values import Refused, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...hcl import Value
    from ...hcl.nodes import Node
    from ...hcl.values import Function
    from ...templates import Template
    from ...templates.declarations import Variable
    from .rendered import Rendered

# The functions that read a file, whose first argument is its path, relative to ``path.root``.
FILE_FUNCTIONS = ("file", "filebase64", "templatefile")
_MOST_BYTES = 1 << 20


class Scope:
    """The values that a template's expressions see, as far as they are known.

    Args:
        template: the target.
        rendered: its configuration.
        environ: the environment of the build.

    Attributes:
        values: by root name: ``path``, ``var`` and ``local``. What is not known is not there.
        read_files: the paths that expressions gave to ``file``, ``fileset`` and the like.
        read_names: the variables of the environment that expressions read by ``env``.
        secret: what is computed now is sensitive: the names that it reads are not kept.
    """

    def __init__(self, template: Template, rendered: Rendered, environ: Mapping[str, str]) -> None:
        self._folder = template.folder
        self._environ = environ
        self.read_files: list[str] = []
        self.read_names: set[str] = set()
        self.secret = False
        self._functions: Mapping[str, Function] = {**FUNCTIONS, **_MORE, **self._reading()}
        self.values: dict[str, dict[str, object]] = {
            "path": {"root": str(template.folder), "cwd": str(template.cwd)}
        }
        self.values["var"] = self._variables(template, rendered)
        self.values["local"] = self._locals(template)

    def compute(self, node: Node, more: Mapping[str, object] | None = None) -> Value:
        """The value of an expression.

        Args:
            node: the expression.
            more: the variables of the loops around it.

        Raises:
            NotEvaluable: it depends on what is not known before the build.
        """
        return compute(node, {**self.values, **(more or {})}, self._functions)

    def knows(self, function: str) -> bool:
        """Whether a function is one that is computed here."""
        return function in self._functions

    def _variables(self, template: Template, rendered: Rendered) -> dict[str, object]:
        found: dict[str, object] = dict(rendered.values)
        for name, variable in template.variables.items():
            if variable.runtime or name in rendered.attributes:
                continue
            if (given := self._environ.get(f"PKR_VAR_{name}")) is not None:
                found[name] = _from_environment(variable, given)
            elif variable.computed:
                self._computed_default(template, variable, found)
            elif not variable.required:
                found[name] = variable.default
        return found

    def _computed_default(self, template: Template, variable: Variable, found: dict[str, object]) -> None:
        """A default such as ``env("HOME")``."""
        self.secret = variable.sensitive
        for __, block in template.blocks("variable"):
            if block.labels == (variable.name,) and "default" in block.body.attributes:
                try:
                    found[variable.name] = self.compute(block.body.attributes["default"].node)
                except (NotEvaluable, HclError):
                    continue
        self.secret = False

    def _locals(self, template: Template) -> dict[str, object]:
        """The locals, computed in rounds until no further one is known."""
        nodes = {name: (one.expression.node, one.sensitive) for name, one in template.locals.items()}
        found = self.values["local"] = {}
        grew = True
        while grew:
            grew = False
            for name, (node, self.secret) in list(nodes.items()):
                try:
                    found[name] = self.compute(node)
                except (NotEvaluable, HclError):
                    continue
                del nodes[name]
                grew = True
        self.secret = False
        return found

    def _reading(self) -> dict[str, Function]:
        def path(text: object) -> Path:
            return Path(os.path.normpath(self._folder / to_text(text)))

        def file(text: object, *__: object) -> str:
            self.read_files.append(to_text(text))
            try:
                with open(path(text), encoding="utf-8") as opened:
                    return opened.read(_MOST_BYTES)
            except (OSError, ValueError):
                raise NotEvaluable("the file cannot be read") from None

        def fileset(folder: object, pattern: object) -> list[str]:
            root = path(folder)
            try:
                names = glob.glob(to_text(pattern), root_dir=root, recursive=True, include_hidden=True)
            except ValueError:  # a NUL in the name
                raise NotEvaluable("the folder cannot be read") from None
            found = sorted(name for name in names if (root / name).is_file())
            self.read_files += [f"{root}/{name}" for name in found]
            return found

        def env(name: object) -> str:
            if not self.secret:
                self.read_names.add(to_text(name))
            return self._environ.get(to_text(name), "")

        return {
            **dict.fromkeys(FILE_FUNCTIONS, file),
            "fileset": fileset,
            "fileexists": lambda text: path(text).is_file(),
            "abspath": lambda text: str(path(text)),
            "env": env,
        }


def _from_environment(variable: Variable, text: str) -> object:
    """What Packer makes of a ``PKR_VAR_*``: a string as it is, anything else as HCL."""
    if str(variable.type) == "string":
        return text
    try:
        return loads(f"value = {text}\n").attributes["value"].value
    except (HclError, NotEvaluable):
        return text


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Refused("a list is required")
    return value


def _formatlist(template: object, *values: object) -> list[object]:
    length = max((len(value) for value in values if isinstance(value, list)), default=1)
    rows = [value if isinstance(value, list) else [value] * length for value in values]
    if any(len(row) != length for row in rows):
        raise Refused("lists of one length are required")
    return [FUNCTIONS["format"](template, *row) for row in zip(*rows, strict=True)]


def _jsondecode(text: object) -> object:
    try:
        return json.loads(to_text(text))
    except (ValueError, RecursionError):
        raise NotEvaluable("the text is no JSON") from None


_same: Callable[[object], object] = lambda value: value  # noqa: E731 -- a row of the table below
_MORE: dict[str, Function] = {
    "basename": lambda text: os.path.basename(to_text(text)),
    "dirname": lambda text: os.path.dirname(to_text(text)) or ".",
    "pathexpand": lambda text: os.path.expanduser(to_text(text)),
    "formatlist": _formatlist,
    "sort": lambda items: sorted(to_text(item) for item in _list(items)),
    "reverse": lambda items: _list(items)[::-1],
    "compact": lambda items: [item for item in _list(items) if item not in ("", None)],
    "setunion": lambda *lists: [item for items in lists for item in _list(items)],
    "tolist": _same,
    "toset": _same,
    "tomap": _same,
    "jsondecode": _jsondecode,
    "chomp": lambda text: to_text(text).rstrip("\r\n"),
}
