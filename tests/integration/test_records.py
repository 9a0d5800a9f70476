"""What the shared log says of commands, renderings, syncs and builds."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import cli, pipeline
from hybridcore.monitor import NullMonitor
from tests.support.sources import Space
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration
GOOD, BAD = "linux/null/good", "linux/null/bad"
FAILING = """\
variable "token" {
  type      = string
  sensitive = true
}

source "null" "bad" {
  communicator = "none"
}

build {
  sources = ["source.null.bad"]

  provisioner "shell-local" {
    inline = ["exit 7"]
  }
}
"""
TIMES = re.compile(r"\d+\.\d s|\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}")


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null(GOOD)
    return made


def hybrid(root: Path, *arguments: str) -> int:
    return cli.main(["--workspace", str(root), *arguments])


def records(root: Path) -> list[str]:
    """Level, component and message of each record; a duration and the id of a run are ``~``."""
    lines = (root / "logs/packer-hybrid.log").read_text().splitlines()
    return [TIMES.sub("~", line.partition("] ")[2]) for line in lines]


def test_a_build_is_recorded_from_beginning_to_end(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.template(BAD, FAILING)
    monkeypatch.setenv("PKR_VAR_token", "hunter2-secret")
    assert hybrid(space.root, "build", "--env", "dev", "--secret", "token", "--quiet") == 3
    found = records(space.root)
    assert found[:2] == ["INFO cli: [build] begun", "INFO packer: [packer-hybrid build --env dev] begun"]
    assert found[2] == (
        f"INFO config: 2 of 2 configurations changed: configs/dev/{BAD}.pkrvars.hcl, "
        f"configs/dev/{GOOD}.pkrvars.hcl"
    )
    for target, result in ((GOOD, "INFO packer: [{}] built"), (BAD, "ERROR packer: [{}] failed")):
        command = f"build dev/{target}"
        first, second = (line for line in found if f"[{command}]" in line)
        assert first == (
            f"INFO packer: [{command}] attempt 1 has begun, its log is logs/builds/dev/{target}/~.log"
        )
        assert second.startswith(f"{result.format(command)} after ~, run ~")
    assert "exit" in next(line for line in found if line.startswith("ERROR"))
    assert found[-4:] == [
        "INFO packer: [packer-hybrid build --env dev] 1 built, 1 failed",
        "INFO packer: [packer-hybrid build --env dev] done after ~",
        "INFO cli: [build] exit code 3",
        "INFO cli: [build] done after ~",
    ]
    assert "hunter2" not in (space.root / "logs/packer-hybrid.log").read_text()


def test_rendering_and_repair_are_recorded(space: WorkspaceFolder) -> None:
    assert hybrid(space.root, "config", "render", "--env", "dev") == 0
    assert records(space.root) == [
        "INFO cli: [config render] begun",
        "INFO config: [render] begun",
        f"INFO config: 1 of 1 configurations changed: configs/dev/{GOOD}.pkrvars.hcl",
        "INFO config: [render] done after ~",
        "INFO cli: [config render] exit code 0",
        "INFO cli: [config render] done after ~",
    ]
    assert hybrid(space.root, "config", "render", "--env", "dev", "unknown/null/target") == 1
    assert records(space.root)[-2].startswith("ERROR config: [render] failed after ~: ")
    assert "unknown/null/target" in records(space.root)[-2]
    assert hybrid(space.root, "state", "repair") == 0
    assert records(space.root)[-3:] == [
        "INFO cli: [state repair] begun",
        "INFO cli: [state repair] exit code 0",
        "INFO cli: [state repair] done after ~",
    ]


def test_what_only_reads_writes_no_record(space: WorkspaceFolder) -> None:
    commands = (
        ["status"],
        ["builders", "list"],
        ["config", "check", "--env", "dev"],
        ["config", "explain", "--env", "dev"],
        ["build", "--env", "dev", "--check"],
        ["fmt", "--check"],
        ["inspect"],
        ["sources", "sync", "--check"],
        ["state", "show"],
        ["state", "history"],
    )
    assert [hybrid(space.root, *command) for command in commands] == [0, 0, 5, 0, 5, 0, 0, 0, 0, 0]
    assert not (space.root / "logs").exists()


def test_a_sync_is_recorded(tmp_path: Path) -> None:
    space = Space(tmp_path)
    space.sync()
    assert records(space.root) == [
        "INFO sources: [sync] begun",
        f"INFO sources: [sync] cloned demo: {space.first}",
        "INFO sources: [sync] done after ~",
    ]


def test_a_program_that_embeds_the_core_hears_a_build(
    space: WorkspaceFolder, caplog: pytest.LogCaptureFixture
) -> None:
    request = pipeline.Request(env="dev", targets=[GOOD], command="nightly")
    pipeline.build(request, workspace=space.open(), monitor=NullMonitor())
    heard = [(name, level) for name, level, _ in caplog.record_tuples]
    assert set(heard) == {("hybridcore.packer", logging.INFO), ("hybridcore.config", logging.INFO)}
    texts = [text for _, _, text in caplog.record_tuples]
    assert (texts[0], texts[-2]) == ("begun", "1 built")


def test_a_log_that_cannot_be_written_fails_no_command(
    space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (space.root / "logs").write_text("in the way")
    assert hybrid(space.root, "config", "render", "--env", "dev") == 0
    assert (space.root / f"configs/dev/{GOOD}.pkrvars.hcl").is_file()
    assert capsys.readouterr().err.count("cannot write the log") == 1
