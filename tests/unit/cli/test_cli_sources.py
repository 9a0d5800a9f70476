"""`packer-hybrid sources`: a line for each repository, as data, and the exit codes; with real Git."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridcore import cli
from tests.support.workspaces import WorkspaceFolder


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "the first")
    return folder


@pytest.fixture
def run(
    make_workspace: Callable[..., WorkspaceFolder], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    space = make_workspace()

    def call(*arguments: str) -> tuple[int, str]:
        code = cli.main(["--workspace", str(space.root), *arguments])
        return code, capsys.readouterr().out

    call.space = space  # type: ignore[attr-defined]
    return call


@pytest.mark.parametrize(("action", "nothing"), [("sync", "sync"), ("lock", "lock"), ("diff", "compare")])
def test_without_sources_that_is_said(run: Any, action: str, nothing: str) -> None:
    assert run("sources", action) == (0, f"packer-hybrid.toml has no [sources.NAME]: nothing to {nothing}\n")
    code, out = run("--json", "sources", action)
    assert (code, json.loads(out)) == (0, {"results": []})


def test_each_action_from_the_first_clone_to_a_new_commit(run: Any, remote: Path) -> None:
    run.space.settings(f'[sources.one]\nurl = "file://{remote}"\nref = "main"\n')
    first = git(remote, "rev-parse", "HEAD")
    old = first[:12]
    assert run("sources", "sync", "--check") == (5, f"cloned    one {old} main\n")
    assert run("sources", "sync") == (0, f"cloned    one {old} main\n")
    assert run("sources", "sync") == (0, f"unchanged one {old} main\n")
    assert run("sources", "lock", "--check") == (5, f"locked    one {old}\n")
    assert run("sources", "lock") == (0, f"locked    one {old}\n")
    assert run("sources", "lock", "--check") == (0, f"unchanged one {old}\n")
    assert run("sources", "diff") == (0, f"one {old}\n")
    git(remote, "commit", "-q", "--allow-empty", "-m", "the second")
    second = git(remote, "rev-parse", "HEAD")
    new = second[:12]
    code, out = run("sources", "diff", "one")
    head, commit = out.splitlines()
    assert (code, head) == (0, f"one {old}..{new}")
    assert commit.startswith(f"  + {new} 20")
    assert commit.endswith(" the second")
    assert run("sources", "sync", "--check") == (5, f"updated   one {new} main (was {old})\n")
    assert run("sources", "sync", "one") == (0, f"updated   one {new} main (was {old})\n")
    assert run("sources", "lock") == (0, f"locked    one {new} (was {old})\n")
    code, out = run("--json", "sources", "sync")
    (result,) = json.loads(out)["results"]
    assert (code, result["name"], result["sha"], result["changed"]) == (0, "one", second, False)


def test_a_name_that_the_settings_do_not_have(run: Any, remote: Path) -> None:
    run.space.settings(f'[sources.one]\nurl = "file://{remote}"\n')
    assert run("sources", "sync", "none") == (1, "")
