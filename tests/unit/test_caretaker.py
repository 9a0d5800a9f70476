"""Where the supervisor's process starts: what it does to the state and the log of a run that it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import caretaker, state
from hybridcore.packer import runs
from hybridcore.process.children import Children, supervisor_command
from hybridcore.process.wire import Channel
from tests.support.children import next_event, program
from tests.support.workspaces import WorkspaceFolder


def serve(*said: dict[str, object]) -> int:
    """Run a supervisor whose caller says some words and is gone; give back its exit code."""
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(supervisor_command([]), stdin=theirs) as child:
        theirs.close()
        channel = Channel(ours)
        for message in said:
            channel.send(message)
        channel.close()
        return child.wait(60)


def announced(space: WorkspaceFolder, folder: Path) -> dict[str, object]:
    return {"op": "run", "workspace": str(space.root), "run_id": "r1", "folder": str(folder)}


@pytest.fixture
def begun(make_workspace: Callable[..., WorkspaceFolder]) -> tuple[WorkspaceFolder, Path]:
    """A workspace with a run that has begun, and the run's folder."""
    space = make_workspace()
    workspace = space.open()
    runs.begin(
        workspace,
        "r1",
        env="dev",
        command="build",
        logs={"linux/null/a": workspace.root / "logs/a.log"},
        owner=os.getpid(),
        packer={},
    )
    return space, space.write("images/.runs/r1/file", "x").parent


def assert_settled(space: WorkspaceFolder, folder: Path) -> None:
    assert not folder.exists()
    data = state.read(workspace=space.open())
    assert data["running"] == {}
    assert [(run["id"], run["status"]) for run in data["history"]] == [("r1", "cancelled")]
    assert data["images"]["dev/linux/null/a"]["last_attempt"]["run"] == "r1"


def test_a_run_whose_caller_is_gone_is_settled_and_its_folder_removed(
    begun: tuple[WorkspaceFolder, Path],
) -> None:
    assert serve(announced(*begun)) == 0
    assert_settled(*begun)


def test_the_processes_that_it_was_given_are_watched(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["sleep", "300"]) as watched,
        Children(f"test-watched-{os.getpid()}", [watched.pid]) as children,
    ):
        os.close(children.start(program("import time; time.sleep(300)", tmp_path)))
        assert next_event(children)["event"] == "started"
        watched.kill()
        events = [next_event(children)]
        while events[-1]["event"] != "exit":
            events.append(next_event(children))
    assert events[-1]["code"] == -signal.SIGTERM


def test_of_a_run_that_said_goodbye_nothing_is_settled(
    make_workspace: Callable[..., WorkspaceFolder],
) -> None:
    space = make_workspace()
    folder = space.write("images/.runs/r1/file", "x").parent
    assert serve(announced(space, folder), {"op": "goodbye"}) == 0
    assert folder.is_dir()
    assert not (space.root / "state").exists()


@pytest.mark.parametrize("settings", [None, "[packer]\nno_such_setting = 1\n"])
def test_a_workspace_that_is_gone_or_not_right_any_more_stops_nobody(
    make_workspace: Callable[..., WorkspaceFolder], tmp_path: Path, settings: str | None
) -> None:
    space = make_workspace()
    folder = tmp_path / "elsewhere" / "r1"
    folder.mkdir(parents=True)
    if settings is None:
        shutil.rmtree(space.root)
    else:
        space.settings(settings)
    caretaker.settle({"workspace": str(space.root), "run_id": "r1", "folder": str(folder)}, "why", set())
    assert not folder.exists()
    assert not (space.root / "state").exists()


def test_a_build_log_goes_on_masked(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("before\n")
    takeover = caretaker.take_over(str(log), ["s3cret"])
    takeover.feed(b"cut, and\n1605862346,,ui,say,it is s3cret\n")
    takeover.close("the caller ended")
    assert "it is ***" in log.read_text().splitlines()


def test_an_end_that_the_state_does_not_take_is_in_the_log(
    make_workspace: Callable[..., WorkspaceFolder],
) -> None:
    space = make_workspace()
    space.write("state/packer-hybrid.json", "damaged")
    assert serve(announced(space, space.root / "images/r1")) == 0
    (line,) = (space.root / "logs/packer-hybrid.log").read_text().splitlines()
    assert "ERROR supervise: the end of run r1 cannot be written into the state: " in line
    assert "the state is damaged" in line
