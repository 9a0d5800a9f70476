"""`packer-hybrid explain`: a row for each input, and forgetting one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import cli, pipeline
from hybridcore.packer import runs
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/a"
ENTRY = {
    "target": TARGET,
    "fingerprint": "f" * 64,
    "parent": None,
    "inputs": [
        {"name": "file\x1b[2J", "digest": "a" * 64, "origin": "named in x", "observed": False},
        {"name": "seen", "digest": "b" * 64, "origin": "was read in run r", "observed": True},
    ],
    "unfollowed": ["x.pkr.hcl:1: who knows"],
}


@pytest.fixture
def run(
    make_workspace: Callable[..., WorkspaceFolder], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    space = make_workspace()
    space.null(TARGET)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["--workspace", str(space.root), *arguments])
        return code, *capsys.readouterr()

    return call


def test_the_inputs_of_a_real_target(run: Any, fake_packer: object) -> None:
    code, out, _ = run("explain", "--env", "dev", TARGET)
    assert code == 0
    assert out.startswith(f"{TARGET}: fingerprint ")
    assert "the rendered values" in out
    code, data, _ = run("--json", "explain", "--env", "dev", TARGET)
    (entry,) = json.loads(data)["targets"]
    assert entry["fingerprint"][:12] in out
    assert all(one["name"] in out and one["digest"][:12] in out for one in entry["inputs"])


def test_people_see_short_digests_what_was_observed_and_no_escape(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "inputs", lambda *_: [ENTRY, {**ENTRY, "target": "linux/null/b"}])
    code, out, _ = run("explain", "--env", "dev")
    first, second = out.rstrip("\n").split("\n\n")
    assert code == 0
    assert first.splitlines() == [
        f"{TARGET}: fingerprint {'f' * 12}",
        "INPUT        DIGEST        WHERE FROM",
        f"file\\x1b[2J  {'a' * 12}  named in x",
        f"seen         {'b' * 12}  observed: was read in run r",
        "not followed: x.pkr.hcl:1: who knows",
    ]
    assert second.startswith("linux/null/b: ")


def test_an_input_is_forgotten_of_the_targets_that_are_named(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[tuple[str, ...]] = []
    monkeypatch.setattr(pipeline, "inputs", lambda *_: [])
    monkeypatch.setattr(runs, "forget", lambda _, *what: forgotten.append(what))
    assert run("explain", "--env", "dev", TARGET, "--forget", "a", "--forget", "b")[0] == 0
    assert forgotten == [("dev", TARGET, "a"), ("dev", TARGET, "b")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "--forget needs a target"), (["linux/null/none"], "linux/null/none")],
)
def test_nothing_is_forgotten_without_a_target_that_is_there(
    run: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setattr(runs, "forget", lambda *_: pytest.fail("it was forgotten"))
    code, out, err = run("explain", "--env", "dev", *arguments, "--forget", "a")
    assert (code, out) == (1, "")
    assert said in err
