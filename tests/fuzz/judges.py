"""What Packer says to cases, and what we say: many in one call, since each start of Packer costs time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

from cases import Case

from hybridcore import hcl, templates
from hybridcore.config import generate_env_config
from hybridcore.errors import ConfigError, Fault, TemplatesError
from hybridcore.hcl.dialect import dialect
from hybridcore.hcl.types import Type, typed
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
TEMPLATE, VALUES, JSON = "t.pkr.hcl", "v.pkrvars.hcl", "v.pkrvars.json"
BUILD = 'source "null" "demo" {\n  communicator = "none"\n}\n\nbuild {\n  sources = ["source.null.demo"]\n}\n'
ABSENT = "(nothing)"
ERROR = "(an error)"
_PLACE = re.compile(r"^  on (\S+) line (\d+)", re.MULTILINE)
_NAME = re.compile(r"\bv\d+\b")


class CannotTell(Exception):
    """Packer refused a batch without saying which case is to blame."""


@dataclass
class Verdict:
    """What one side says to a case.

    Args:
        takes: whether the declaration and the value are right.
        open: whether that is left to Packer.
        value: the variable's value as JSON knows it, ``ABSENT`` where it is not told.
        rendered: Packer's value after our rendering.
        result: that of the expression, ``ERROR``, or ``ABSENT`` where it is left to Packer.
        words: why not.
    """

    takes: bool = True
    open: bool = False
    value: Any = ABSENT
    rendered: Any = ABSENT
    result: Any = ABSENT
    words: str = ""


@dataclass
class Files:
    """The files of a batch, and which case each line belongs to."""

    texts: dict[str, str] = field(default_factory=dict)
    owners: dict[str, dict[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Files:
        """Lay cases out: one template, one file of values, one of JSON."""
        files = cls()
        files._add(TEMPLATE, [(case.name, case.declaration) for case in cases])
        files.texts[TEMPLATE] += BUILD
        given = [case for case in cases if case.value is not None]
        files._add(VALUES, [(case.name, f"{case.name} = {case.value}\n") for case in given if not case.json])
        lines = [(case.name, f'"{case.name}": {case.value},\n') for case in given if case.json]
        files._add(JSON, [("", "{\n"), *lines, ("", '"for_nobody": 0\n}\n')])
        return files

    def _add(self, file: str, parts: Sequence[tuple[str, str]]) -> None:
        self.texts[file] = ""
        self.owners[file] = {}
        line = 1
        for name, text in parts:
            for at in range(line, line + text.count("\n") + 1):
                self.owners[file].setdefault(at, name)
            self.owners[file][line] = name
            self.texts[file] += text
            line += text.count("\n")

    def owner(self, file: str, line: int) -> str:
        """The case that a line belongs to."""
        return self.owners.get(Path(file).name, {}).get(line, "")


class Packer:
    """One Packer."""

    def __init__(self, program: str | Path, version: str, folder: Path) -> None:
        self.program, self.version, self.folder = str(program), version, folder
        self.calls = 0

    def run(self, *arguments: str, text: str = "") -> str:
        """What it prints."""
        self.calls += 1
        home = str(self.folder)
        env = {"CHECKPOINT_DISABLE": "1", "HOME": home, "PACKER_CONFIG_DIR": home, "PATH": os.environ["PATH"]}
        typed_in = self.folder / "typed"  # of a pipe, the console answers the last line alone
        typed_in.write_bytes(text.encode())
        with typed_in.open("rb") as stdin:
            done = subprocess.run(
                [self.program, *arguments],
                cwd=self.folder,
                env=env,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return done.stdout.decode("utf-8", "replace") + ("" if done.returncode == 0 else "\n(failed)")

    def verdicts(self, cases: Sequence[Case]) -> dict[str, Verdict]:
        """What it says to each case of a batch."""
        found = {case.name: Verdict() for case in cases}
        left = list(cases)
        while left:
            files = Files.of(left)
            for name, text in files.texts.items():
                (self.folder / name).write_bytes(text.encode())
            said = self.run("validate", f"-var-file={VALUES}", f"-var-file={JSON}", TEMPLATE)
            if not said.endswith("(failed)"):
                break
            try:
                blamed = self._blamed(said, files)
            except CannotTell:
                if len(left) == 1:
                    blamed = {left[0].name: said}
                else:
                    half = len(left) // 2
                    return found | self.verdicts(left[:half]) | self.verdicts(left[half:])
            for name, words in blamed.items():
                found[name] = Verdict(False, words=words)
            left = [case for case in left if case.name not in blamed]
        return found

    @staticmethod
    def _blamed(said: str, files: Files) -> dict[str, str]:
        blamed: dict[str, str] = {}
        for words in re.split(r"^(?=Error: |Warning: )", said, flags=re.MULTILINE):
            if not words.startswith("Error: "):
                continue
            place = _PLACE.search(words)
            name = files.owner(place[1], int(place[2])) if place else ""
            known = set(files.owners[TEMPLATE].values())
            name = name or next((found for found in _NAME.findall(words) if found in known), "")
            if not name:
                raise CannotTell(words)
            blamed.setdefault(name, " ".join(words.split()))
        if not blamed:
            raise CannotTell(said)
        return blamed

    def compute(self, cases: Sequence[Case], expressions: Sequence[str], rendered: str | None) -> list[Any]:
        """The values of expressions, over the values of the cases or over a rendered file."""
        files = Files.of(cases)
        given = {"r.pkrvars.hcl": rendered} if rendered is not None else {VALUES: "", JSON: ""}
        for name, text in {**files.texts, **{key: value for key, value in given.items() if value}}.items():
            (self.folder / name).write_bytes(text.encode())
        asked = "".join(f'"@@{at}"\njsonencode([{text}])\n' for at, text in enumerate(expressions))
        said = self.run("console", *(f"-var-file={name}" for name in given), TEMPLATE, text=asked)
        answers = {
            int(number): answer.strip("\n")
            for number, answer in re.findall(
                r"^@@(\d+)\n(.*?)(?=^@@\d+\n|\Z)", said, re.MULTILINE | re.DOTALL
            )
        }
        found = [decoded(answers.get(at, "Error: no answer")) for at in range(len(expressions))]
        return [answer[0] if isinstance(answer, list) else answer for answer in found]


def decoded(answer: str) -> Any:
    """What an answer of the console says."""
    if answer.startswith("Error"):
        return ERROR
    answer = answer.removesuffix("\n(failed)").strip()
    if answer == "<sensitive>":
        return ABSENT
    try:
        return json.loads(answer, parse_float=number, parse_int=number, parse_constant=str)
    except ValueError:
        return f"(unreadable: {answer})"


def number(text: str) -> tuple[str, str]:
    """A number that differs from others in any digit and in the sign of zero, and from texts."""
    with localcontext(Context(prec=10_000)):
        return "number", format(
            Decimal(text).normalize(), "f" if abs(Decimal(text).adjusted()) < 5000 else "e"
        )


def plain(value: Any) -> Any:
    """A value of ours as JSON of Packer would be read."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return number(str(Decimal(repr(value) if isinstance(value, float) else value)))
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


class Ours:
    """What our configuration says, for one version of Packer."""

    def __init__(self, version: str) -> None:
        self.version = version

    def verdicts(self, cases: Sequence[Case]) -> tuple[dict[str, Verdict], str]:
        """What we say to each case, and the configuration that holds those that are taken."""
        found = {case.name: Verdict() for case in cases}
        left = list(cases)
        with tempfile.TemporaryDirectory() as place:
            folder = WorkspaceFolder.create(Path(place) / "w")
            while True:
                files = Files.of(left)
                for name, where in (
                    (TEMPLATE, "templates/linux/null/demo/t.pkr.hcl"),
                    (VALUES, "environments/dev/v.pkrvars.hcl"),
                    (JSON, "environments/dev/v.pkrvars.json"),
                ):
                    folder.write(where, "").write_bytes(files.texts[name].encode())
                try:
                    inputs = {"env": "dev", "targets": [TARGET], "packer_version": self.version}
                    made = generate_env_config(inputs, workspace=folder.open(), write=False)
                except (ConfigError, TemplatesError) as error:
                    blamed = {}
                    whole = Fault(error.message, file=error.file, line=error.line)
                    for fault in error.faults or [whole]:
                        name = files.owner(fault.file or "", fault.line or 0)
                        named = _NAME.search(fault.message)
                        name = name or (named[0] if named else "") or (left[0].name if len(left) == 1 else "")
                        blamed[name] = str(fault)
                    if not blamed.keys() & {case.name for case in left}:
                        raise
                    for name, words in blamed.items():
                        found[name] = Verdict(False, words=words)
                    left = [case for case in left if case.name not in blamed]
                    continue
                break
            rendered = made["files"][0]
            values = hcl.loads(rendered["after"]).attributes
            variables = templates.load(TARGET, folder.open()).variables
            for case in left:
                verdict = found[case.name]
                variable = variables[case.name]
                verdict.open = case.name in rendered["unchecked"]
                if case.expression:
                    value = values[case.name].value if case.name in values else None
                    verdict.result = self._compute(case, value, variable.type)
            return found, rendered["after"]

    def _compute(self, case: Case, value: Any, kind: Type) -> Any:
        try:
            scope = {"var": {case.name: typed(value, kind)}}
            return plain(hcl.evaluate(case.expression, scope, dialect(self.version).functions))
        except hcl.NotEvaluable:
            return ABSENT
        except hcl.HclError:
            return ERROR
