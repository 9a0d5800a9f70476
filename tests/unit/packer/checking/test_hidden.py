"""The values that only Packer can compute: the question, the answer, and what is refused."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import process, templates
from hybridcore.packer.checking import hidden
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.packer.program.capabilities import Capabilities
from tests.support.workspaces import WorkspaceFolder

LOCAL = 'local "pw" {\n  expression = %s\n  sensitive  = true\n}\n'


@pytest.fixture
def ask(
    make_workspace: Callable[..., WorkspaceFolder], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[tuple[str, ...], list[str], list[str]]]:
    """Ask a stand-in for Packer, which gives these texts one after the other."""

    def start(expression: str, *printed: str) -> tuple[tuple[str, ...], list[str], list[str]]:
        space = make_workspace()
        target = space.null()
        space.write(f"templates/{target}/local.pkr.hcl", LOCAL % expression)
        waiting, asked = list(printed), []

        def run(argv: tuple[str, ...], *, stdin: str, **_: object) -> process.Completed:
            assert argv[1] == "console"
            asked.append(stdin)
            return process.Completed(argv, 0, waiting.pop(0), "")

        monkeypatch.setattr(process, "run", run)
        values, faults = hidden.ask(
            templates.load(target, space.open()),
            Rendered(""),
            env="dev",
            options=BuildOptions(),
            workspace=space.open(),
            capabilities=Capabilities(path="/packer", version="1.9.4", commands=("init",)),
        )
        assert not waiting
        return values, [str(fault) for fault in faults], asked

    return start


def answered(*values: object) -> str:
    """As Packer prints the value of a question."""
    text = base64.b64encode(json.dumps(values).encode()).decode()
    return "".join(chr(0xE000 + hidden._BASE64.index(char)) for char in text) + "\n"


def test_the_answer_is_read_and_its_parts_are_secrets(ask: Callable[..., object]) -> None:
    assert ask('file("x")', answered({"user": "root-user", "deep": ["deep-one", 12345, None, True]})) == (
        ("root-user", "deep-one", "12345"),
        [],
        [hidden.question(["local.pw"]) + "\n"],
    )


@pytest.mark.parametrize("expression", ['vault("a", "b")', "data.amazon-ami.x.id"])
def test_an_answer_that_changes_is_refused(ask: Callable[..., object], expression: str) -> None:
    values, faults, asked = ask(expression, answered("first-one"), answered("other-one"))  # type: ignore[misc]
    assert values == ()
    assert len(asked) == 2
    assert "the value of the sensitive local.pw cannot be known: it is another one each time" in faults[0]
    assert faults[0].startswith("templates/linux/null/demo/local.pkr.hcl:1: ")


@pytest.mark.parametrize("printed", ["", "nonsense\n", "<sensitive>\n", "Error: it broke\n\nbadly\n"])
def test_no_answer_is_refused(ask: Callable[..., object], printed: str) -> None:
    values, faults, _ = ask('"x"', printed)  # type: ignore[misc]
    assert values == ()
    assert "the value of the sensitive local.pw cannot be known: Packer says: " in faults[0]
    assert "give its value as a sensitive variable" in faults[0]


@pytest.mark.integration
@pytest.mark.parametrize("value", ["plain-secret", "a", "W10", "+/=", "\u00e4\n\\n ${x} \U0001f511", "e"])
def test_the_question_is_one_that_packers_redaction_does_not_reach(
    any_packer: Path, tmp_path: Path, value: str
) -> None:
    """A short secret is a part of any base64, where Packer would redact it."""
    (tmp_path / "x.pkr.hcl").write_text(
        'variable "a" {\n  type = string\n  sensitive = true\n}\nvariable "b" {\n  default = ["e", "J", 5]\n'
        "  sensitive = true\n}\n"
    )
    done = subprocess.run(
        [any_packer, "console", "."],
        cwd=tmp_path,
        input=hidden.question(["var.a", "var.b"]) + "\n",
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PKR_VAR_a": value, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert hidden.answer(done.stdout) == [value, ["e", "J", 5]]
