"""The command line with closed, full and broken streams, and with other encodings than UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from tests.support.builds import hybrid_command, hybrid_environment
from tests.support.programs import SUCCESS, FakePacker
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null("linux/null/a")
    return made


@pytest.fixture
def packer(fake_packer: FakePacker) -> FakePacker:
    fake_packer.answer("build", stdout=SUCCESS)
    return fake_packer


def shell(
    space: WorkspaceFolder, arguments: str, streams: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `packer-hybrid` with its streams as a shell redirects them."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {streams}', "sh", *hybrid_command(space, *arguments.split())],
        env=hybrid_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("streams", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_build_needs_none_of_its_streams(
    space: WorkspaceFolder, packer: FakePacker, streams: str, buffered: bool
) -> None:
    packer.answer("build", stdout=SUCCESS, code="print(os.readlink('/proc/self/fd/2'))")
    ended = shell(space, "build --env dev", streams, PYTHONUNBUFFERED="" if buffered else "1")
    assert ended.returncode == 0, ended.stderr
    data = json.loads((space.root / "state/packer-hybrid.json").read_bytes())
    assert data["images"]["dev/linux/null/a"]["status"] == "built"
    (log,) = (space.root / "logs/builds").rglob("*.log")
    assert "pipe:" in log.read_text(), "what Packer prints goes to its pipe"


@pytest.mark.parametrize("arguments", ["status", "--json status", "--json logs", "--help", "--json nope"])
@pytest.mark.parametrize("buffered", [True, False])
def test_output_that_cannot_be_written_is_told(
    space: WorkspaceFolder, arguments: str, buffered: bool
) -> None:
    ended = shell(space, arguments, ">/dev/full", PYTHONUNBUFFERED="" if buffered else "1")
    said = "packer-hybrid: cannot write to standard output: No space left on device"
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == said
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", ["status", "--json status", "--json logs", "--help", "--json nope"])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_that_has_gone_ends_the_command_without_a_word_about_it(
    space: WorkspaceFolder, arguments: str, buffered: bool
) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = subprocess.run(
        hybrid_command(space, *arguments.split()),
        env=hybrid_environment(PYTHONUNBUFFERED="" if buffered else "1"),
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(write_end)
    assert ended.returncode == 130
    assert "Traceback" not in ended.stderr
    assert "pipe" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--json nope", "packer-hybrid: argument COMMAND: invalid choice: 'nope'"),
        ("--json build", "packer-hybrid build: the following arguments are required: --env"),
        ("build --env dev --retries x --json", "packer-hybrid build: argument --retries: invalid int value"),
        ("--js", "packer-hybrid: the following arguments are required: COMMAND"),
    ],
)
def test_an_error_of_usage_is_data_where_data_is_asked_for(
    space: WorkspaceFolder, arguments: str, message: str
) -> None:
    ended = shell(space, arguments, "")
    assert ended.returncode == 2
    error = json.loads(ended.stdout)
    assert error["error"] == "UsageError"
    assert error["message"].startswith(message)
    assert error["hint"].startswith("usage: packer-hybrid")
    assert "usage: packer-hybrid" in ended.stderr
    assert message in ended.stderr


# The C locale as it is without Python's own exceptions for it: its encoding is ASCII.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_names_and_texts_of_any_encoding_pass_in_a_locale_without_utf8(
    space: WorkspaceFolder, packer: FakePacker
) -> None:
    name = "\N{EN DASH} \N{CJK UNIFIED IDEOGRAPH-4E2D}.txt"
    data = space.root / "templates/linux/null/a/data"
    data.mkdir()
    (data / name).write_text("x")
    (data / os.fsdecode(b"not\xffutf-8")).write_text("x")
    packer.answer(
        "build",
        stdout=SUCCESS.replace(
            "files-count,0", f"files-count,1\n1605862346,null.x,artifact,0,file,0,data/{name}"
        ),
    )
    first = shell(space, "--json build --env dev", "", **ASCII)
    assert first.returncode == 0, first.stderr
    (result,) = json.loads(first.stdout)["results"]
    (artifact,) = result["artifacts"]
    assert artifact["files"][0]["path"].endswith(f"/{name}")
    again = shell(space, "--json build --env dev", "", LC_ALL="C.UTF-8")
    assert json.loads(again.stdout)["status"] == "unchanged"
    shown = shell(space, "build --env dev --force", "", **ASCII)
    assert shown.returncode == 0
    assert "\\u2013 \\u4e2d.txt" in shown.stdout
    (data / os.fsdecode(b"more\xff")).write_text("x")
    shown = shell(space, "build --env dev --check", "")
    assert "data/more\\udcff added" in shown.stdout + shown.stderr


@pytest.mark.parametrize("name", [b"back\\slash", b"not\xffutf-8", b"new\nline", b'a "quoted" ${name} %{x}'])
def test_a_workspace_may_lie_anywhere(
    make_workspace: Callable[..., WorkspaceFolder], packer: FakePacker, name: bytes
) -> None:
    space = make_workspace(os.fsdecode(name))
    space.null("linux/null/a")
    for arguments in (
        "build --env dev",
        "status",
        "--json logs",
        "config explain --env dev",
        "state history",
    ):
        ended = shell(space, arguments, "")
        assert ended.returncode == 0, ended.stderr
    wrong = shell(space, "--json logs linux/null/b", "")
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["file"] == str(space.root / "logs/builds")
