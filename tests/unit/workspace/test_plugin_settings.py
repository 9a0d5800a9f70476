"""The `[plugins."..."]` tables."""

from __future__ import annotations

import pytest

from hybridcore.errors import Fault, WorkspaceError
from hybridcore.plugin_settings import PluginSetting, parse_plugins
from hybridcore.settings import parse_settings

SOURCE = "github.com/hashicorp/proxmox"
DIGEST = "0123456789abcdef" * 4


def test_a_table() -> None:
    faults: list[Fault] = []
    table = {SOURCE: {"version": "1.1.1-dev", "from": "a b", "sha256": DIGEST, "archive_sha256": DIGEST}}
    assert parse_plugins(table, faults) == {SOURCE: PluginSetting(SOURCE, "1.1.1-dev", "a b", DIGEST, DIGEST)}
    assert faults == []
    assert PluginSetting(SOURCE).name == "proxmox"


@pytest.mark.parametrize("version", ["1.1", "v1.1.1", "1.01.1", "1.1.1-rc1", ">= 1.1.1", 1])
def test_versions_that_are_none(version: object) -> None:
    faults: list[Fault] = []
    parse_plugins({SOURCE: {"version": version}}, faults)
    assert [fault.message.partition(" must")[0] for fault in faults] == [f'[plugins."{SOURCE}"] version']


def test_all_faults_are_told_together() -> None:
    text = """\
[packer]
strict = "yes"
[plugins."proxmox"]
version = "1.1"
[plugins."github.com/hashicorp/packer-plugin-qemu"]
sha256 = "abc"
colour = 1
[plugins]
"github.com/../mars" = 1
"""
    with pytest.raises(WorkspaceError) as caught:
        parse_settings(text)
    said = str(caught.value)
    for part in (
        "[packer] strict must be true or false",
        '[plugins."proxmox"] is no address',
        '[plugins."proxmox"] version must be a version',
        'packer-plugin-qemu"] is no address',
        "sha256 must be 64",
        "unknown setting 'colour'",
        "has no version",
        'mars"] is no address',
        'mars"] must be a table',
    ):
        assert part in said
