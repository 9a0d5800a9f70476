"""`packer-hybrid fmt`, `validate`, `init` and `inspect`: what is printed of a result, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import cli, packer, pipeline
from hybridcore.errors import Fault
from hybridcore.packer.checking.results import (
    FmtResult,
    InitResult,
    InspectResult,
    TargetFaults,
    ValidateResult,
)
from tests.support.workspaces import WorkspaceFolder

ONE, TWO = "linux/null/a", "linux/null/b"
FAULT = Fault("it is wrong", file="x.pkr.hcl", line=3)


class Seen:
    """Stands for a function of the core: keeps how it was called, and gives what the test says."""

    def __init__(self, result: object) -> None:
        self.result, self.calls = result, []

    def __call__(self, *args: Any, **named: Any) -> Any:
        self.calls.append((args, named))
        return self.result


@pytest.fixture
def run(
    make_workspace: Callable[..., WorkspaceFolder], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    space = make_workspace()
    for target in (TWO, ONE):
        space.null(target)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["--workspace", str(space.root), *arguments])
        return code, *capsys.readouterr()

    call.root = space.root  # type: ignore[attr-defined]
    return call


CHANGED = FmtResult(("a.pkr.hcl",), "--- diff\n")


@pytest.mark.parametrize(
    ("arguments", "result", "expected"),
    [
        (["fmt"], FmtResult(), (0, "", "")),
        (["fmt"], CHANGED, (0, "changed: a.pkr.hcl\n", "")),
        (["fmt", "--diff"], CHANGED, (0, "changed: a.pkr.hcl\n--- diff\n", "")),
        (["fmt", "--check"], CHANGED, (5, "would change: a.pkr.hcl\n", "")),
        (["fmt", "--check"], FmtResult(), (0, "", "")),
        (
            ["fmt", "--check"],
            FmtResult(("a.pkr.hcl",), "", (FAULT,)),
            (1, "would change: a.pkr.hcl\n", "packer-hybrid: x.pkr.hcl:3: it is wrong\n"),
        ),
    ],
)
def test_fmt(
    run: Any,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    result: FmtResult,
    expected: tuple[int, str, str],
) -> None:
    monkeypatch.setattr(packer, "fmt", seen := Seen(result))
    assert run(*arguments) == expected
    ((paths,), named) = seen.calls[0]
    assert paths == [run.root]
    assert named["check"] is ("--check" in arguments)


def test_fmt_of_some_paths_as_data(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packer, "fmt", seen := Seen(CHANGED))
    code, out, _ = run("--json", "fmt", "one", "two")
    assert (code, json.loads(out)) == (0, CHANGED.to_dict())
    assert seen.calls[0][0] == (["one", "two"],)


def test_validate_shows_what_is_wrong_with_each_target(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ValidateResult(
        (TargetFaults(ONE, warnings=(Fault("it is odd"),)), TargetFaults(TWO, faults=(FAULT,)))
    )
    monkeypatch.setattr(pipeline, "validate", seen := Seen(bad))
    assert run("validate", "--env", "dev", ONE, "--var", "message=x") == (
        1,
        f"valid: {ONE}\n  warning: it is odd\nINVALID: {TWO}\n  error: x.pkr.hcl:3: it is wrong\n",
        "",
    )
    request = seen.calls[0][0][0]
    assert (request.env, request.targets, request.vars) == ("dev", [ONE], {"message": "x"})
    code, out, _ = run("--json", "validate", "--env", "dev")
    assert (code, json.loads(out)) == (1, bad.to_dict())
    monkeypatch.setattr(pipeline, "validate", Seen(ValidateResult((TargetFaults(ONE),))))
    assert run("validate", "--env", "dev") == (0, f"valid: {ONE}\n", "")


@pytest.mark.parametrize(
    ("installed", "said"), [((), "all required plugins are installed\n"), (("p v1", "q v2"), "p v1\nq v2\n")]
)
def test_init(run: Any, monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], said: str) -> None:
    monkeypatch.setattr(packer, "init", seen := Seen(InitResult(installed)))
    assert run("init", "--upgrade") == (0, said, "")
    (targets,), named = seen.calls[0]
    assert (targets, named["upgrade"]) == ([ONE, TWO], True)
    run("init", TWO)
    assert seen.calls[1][0] == ([TWO],)
    assert seen.calls[1][1]["upgrade"] is False


def test_inspect(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = InspectResult(ONE, sources=("null.a",), variables={"b": "2", "a": "1"})
    monkeypatch.setattr(packer, "inspect", Seen([found]))
    assert run("inspect", ONE) == (
        0,
        f"{ONE}\n  sources: null.a\n  provisioners: none\n  post-processors: none\n"
        "  variables:\n    a = 1\n    b = 2\n",
        "",
    )
    code, out, _ = run("--json", "inspect", ONE)
    assert (code, json.loads(out)) == (0, {"results": [found.to_dict()]})
