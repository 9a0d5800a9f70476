"""`packer-hybrid config`: what it prints and its exit codes."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore.cli import config as command
from hybridcore.errors import ConfigError
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"


@pytest.fixture
def run(make_workspace: Callable[..., WorkspaceFolder]) -> Callable[..., int]:
    """Run a command in a workspace whose one target declares `message`, `tags` and `token`."""
    folder = make_workspace()
    folder.null(TARGET)
    folder.write(
        f"templates/{TARGET}/more.pkr.hcl",
        'variable "tags" {\n  type = map(string)\n  default = {}\n}\n'
        'variable "version" {\n  type = string\n  default = ""\n}\n'
        'variable "token" {\n  sensitive = true\n}\n'
        'variable "checked" {\n  default = ""\n  validation {\n    condition = fileexists(var.checked)\n'
        '    error_message = "No."\n  }\n}\n',
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'message = "from dev"\nunknown = 1\n')
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    command.add_parser(parser.add_subparsers())

    def call(*argv: str) -> int:
        args = parser.parse_args(argv)
        return int(args.run(args, folder.open()))

    call.folder = folder  # type: ignore[attr-defined]
    return call


def test_check_then_render_then_check(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.folder.root / f"configs/dev/{TARGET}.pkrvars.hcl"
    assert run("config", "check", "--env", "dev") == 5
    printed = capsys.readouterr()
    assert f"would change {path}" in printed.out
    assert "environments/dev/a.pkrvars.hcl:2: unknown: no target declares this variable" in printed.err
    assert not path.exists()
    assert run("config", "render", "--env", "dev", TARGET) == 0
    printed = capsys.readouterr()
    assert "token: sensitive, give it as a secret" in printed.out
    assert "checked: its validation is left to packer validate" in printed.out
    assert 'message = "from dev"' in path.read_text()
    assert run("config", "check", "--env", "dev") == 0


def test_diff(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run("config", "render", "--env", "dev")
    run.folder.write("environments/dev/a.pkrvars.hcl", 'message = "new"\n')
    capsys.readouterr()
    assert run("config", "check", "--env", "dev", "--diff") == 5
    printed = capsys.readouterr().out
    assert '-message = "from dev"\n+message = "new"\n' in printed


def test_json(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "config", "render", "--env", "dev") == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"files", "warnings"}
    (file,) = printed["files"]
    assert set(file) == {"target", "path", "sha256", "changed", "origins", "sensitive", "unchecked"}
    assert file["origins"]["message"] == "environments/dev/a.pkrvars.hcl:1"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("message=plain words", 'message = "plain words"'),
        ('message="quoted"', 'message = "quoted"'),
        ("message=", 'message = ""'),
        ("message=a=b", 'message = "a=b"'),
        ("version=12.10", 'version = "12.10"'),
        ("version=true", 'version = "true"'),
        ("tags={a = 1}", 'tags = {\n  a = "1"\n}'),
    ],
)
def test_var(run: Any, given: str, text: str) -> None:
    assert run("config", "render", "--env", "dev", "--var", given) == 0
    rendered = (run.folder.root / f"configs/dev/{TARGET}.pkrvars.hcl").read_text()
    assert text in re.sub(r" +=", " =", rendered)


@pytest.mark.parametrize("given", ["novalue", "=x", "a b=x", 'message="open', "tags={a"])
def test_var_that_is_no_value(run: Any, given: str) -> None:
    with pytest.raises(ConfigError, match="--var"):
        run("config", "render", "--env", "dev", "--var", given)


def test_explain(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "explain", "--env", "dev", "--var", 'tags={a="1"}', TARGET) == 0
    printed = capsys.readouterr().out
    assert '  message (string): "from dev"\n' in printed
    assert f'      templates/{TARGET}/build.pkr.hcl:1: "hello"\n' in printed
    assert '    * environments/dev/a.pkrvars.hcl:1: "from dev"\n' in printed
    assert '    * caller: { "a" = "1" }\n' in printed
    assert "  token (any): (sensitive), needed from the environment\n" in printed


def test_explain_as_json(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "config", "explain", "--env", "dev") == 0
    (target,) = json.loads(capsys.readouterr().out)["targets"]
    names = [variable["name"] for variable in target["variables"]]
    assert names == ["checked", "message", "tags", "token", "version"]
