"""`packer-hybrid` as a whole: its commands, its workspace, what is logged of a command, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import __version__, cli
from hybridcore.cli import builders, sources
from hybridcore.errors import LockError
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null("linux/null/a")
    return made


def logged(space: WorkspaceFolder) -> list[str]:
    """Level, component and message of each record of the shared log."""
    file = space.root / "logs/packer-hybrid.log"
    lines = file.read_text().splitlines() if file.exists() else []
    return [re.sub(r"\d+\.\d s", "N s", line.partition("] ")[2]) for line in lines]


def test_help_lists_each_command_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    shown = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    # The file of Packer's own commands has four.
    assert [name for name in shown if name in cli.COMMANDS] == [
        name for name in cli.COMMANDS if name != "packer"
    ]
    assert {"fmt", "validate", "init", "inspect"} <= set(shown)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"packer-hybrid {__version__}\n")


def test_the_workspace_is_the_nearest_one_upwards_or_the_one_that_is_named(
    space: WorkspaceFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(space.root / "templates/linux/null/a")
    assert (cli.main(["builders", "list"]), capsys.readouterr().out) == (0, "source.null.a\n")
    other = WorkspaceFolder.create(tmp_path / "other")
    other.null("linux/null/b")
    assert cli.main(["--workspace", str(other.root), "builders", "list"]) == 0
    assert capsys.readouterr().out == "source.null.b\n"
    monkeypatch.chdir(tmp_path)
    assert cli.main(["builders", "list"]) == 1
    assert "packer-hybrid.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["config", "render", "--env", "dev"],
            [
                "INFO cli: [config render] begun",
                "INFO cli: [config render] exit code 0",
                "INFO cli: [config render] done after N s",
            ],
        ),
        (["config", "check", "--env", "dev"], []),
        (["sources", "sync", "--check"], []),
        (["builders", "list"], []),
    ],
)
def test_only_a_command_that_changes_something_is_logged(
    space: WorkspaceFolder, arguments: list[str], lines: list[str]
) -> None:
    assert cli.main(["--workspace", str(space.root), *arguments]) in (0, 5)
    assert [line for line in logged(space) if "cli:" in line] == lines


def test_a_command_that_ends_by_an_error_has_its_exit_code_and_its_end_in_the_log(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def locked(*_: object) -> int:
        raise LockError("somebody holds it", hint="wait")

    monkeypatch.setattr(sources, "run", locked)
    assert cli.main(["--workspace", str(space.root), "sources", "sync"]) == 4
    assert capsys.readouterr().err == "packer-hybrid: somebody holds it (wait)\n"
    assert any("sources sync" in line and "somebody holds it" in line for line in logged(space))


def test_who_watched_on_standard_error_and_has_gone_ends_the_command_without_a_word(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(builders, "run", gone)
    assert cli.main(["--workspace", str(space.root), "builders", "list"]) == 130
    assert capsys.readouterr() == ("", "")
