"""`packer-hybrid plugins`: what is printed, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hybridcore import cli
from tests.support.plugins import SOURCE, digest, file_name, program
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

HELP = "Available commands are:\n    build           build\n    init            install\n"


def test_each_command(
    make_workspace: Callable[..., WorkspaceFolder],
    fake_packer: FakePacker,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_packer.answer("--help", stdout=HELP)
    space = make_workspace()

    def run(*arguments: str) -> tuple[int, str]:
        code = cli.main(["--workspace", str(space.root), *arguments])
        return code, capsys.readouterr().out

    for action in ("sync", "list", "lock", "verify"):
        assert run("plugins", action) == (
            0,
            f'packer-hybrid.toml has no [plugins."..."]: nothing to {action}\n',
        )
    space.write("packer-hybrid.toml", f'[plugins."{SOURCE}"]\nversion = "1.2.3"\nfrom = "vendor"\n')
    space.write(f"vendor/{file_name()}", program().decode())
    short = digest(program())[:12]
    assert run("plugins", "sync", "--check") == (5, f"installed {SOURCE} 1.2.3 \n")
    assert run("plugins", "verify") == (1, f"WRONG {SOURCE} 1.2.3 \n")
    assert run("plugins", "list") == (0, f"{SOURCE} 1.2.3 missing not pinned\n")
    assert run("plugins", "sync") == (0, f"installed {SOURCE} 1.2.3 {short}\n")
    assert run("plugins", "sync") == (0, f"unchanged {SOURCE} 1.2.3 {short}\n")
    assert run("plugins", "lock", "--check") == (5, f"locked    {SOURCE} 1.2.3 {short}\n")
    assert run("plugins", "lock") == (0, f"locked    {SOURCE} 1.2.3 {short}\n")
    assert run("plugins", "verify") == (0, f"ok    {SOURCE} 1.2.3 {short}\n")
    assert run("plugins", "list") == (0, f"{SOURCE} 1.2.3 {short} pinned by the lock\n")
    code, text = run("--json", "plugins", "verify")
    assert (code, json.loads(text)["plugins"][0]["pinned"]) == (0, "lock")
