"""The rows of the platforms against real programs: what Packer has built in, and what a build shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import platforms
from hybridcore.packer.program import capabilities
from hybridcore.process import environment
from tests.support.builds import hybrid
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


def test_each_builder_of_packer_is_in_the_row_of_its_plugin(any_packer: Path) -> None:
    builders = capabilities.probe(str(any_packer)).builders
    assert {"amazon-ebs", "azure-arm", "googlecompute", "vsphere-clone"} <= set(builders)
    for one in platforms.PLATFORMS:
        of_plugin = platforms.Platform(name=one.plugin, title="", plugin=one.plugin)
        assert {name for name in builders if of_plugin.has(name)} <= set(one.source_types)


def test_each_secret_of_the_environment_reaches_packer_and_is_masked(
    make_workspace: Callable[..., WorkspaceFolder], any_packer: Path
) -> None:
    space = make_workspace()
    space.null("linux/null/tell", inline=("env",))
    for_functions = sorted(name for one in environment.FUNCTIONS.values() for name in one.secrets)
    space.settings(f"[environment]\nsecrets = {json.dumps(for_functions)}\n")
    secrets = {name: f"canary-of-{name.lower()}" for name in environment.secret_names()}
    proxies = {"https_proxy": "http://user:canary-of-proxy@127.0.0.1:1"}
    done = hybrid(
        space,
        *("--json", "build", "--env", "dev", "--verbose"),
        packer=any_packer,
        **secrets,
        **proxies,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = (space.root / "logs" / "builds").rglob("*.log")
    for text in (done.stderr, log.read_text()):
        shown = {line.partition("=")[0].split()[-1] for line in text.splitlines() if line.endswith("=***")}
        assert set(secrets) - shown == set()
        assert "https_proxy=http://user:***@127.0.0.1:1" in text
    for path in (path for path in space.root.rglob("*") if path.is_file()):
        assert b"canary-of" not in path.read_bytes(), path
    assert "canary-of" not in done.stdout + done.stderr
