"""Where plugins lie, which of them count, and what they say of themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from hybridcore.packer.program import plugins
from hybridcore.packer.program.plugins import builder_names, folders, installed, used

SOURCE = "github.com/hashicorp/proxmox"
PACKER = "/opt/packer/packer"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose name for its processor is not the one of Go."""
    uname = os.uname_result(("Linux", "host", "6.1", "#1", "aarch64"))
    monkeypatch.setattr(plugins.os, "uname", lambda: uname)


def put(folder: Path, name: str, *, source: str = SOURCE, text: str = "", checksum: bool = True) -> None:
    """Lay a plugin into a folder of plugins."""
    path = folder / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    if checksum:
        path.with_name(f"{name}_SHA256SUM").write_text("0" * 64)


def versions(found: Mapping[str, Mapping[str, Path]]) -> dict[str, list[str]]:
    """The versions alone."""
    return {source: list(programs) for source, programs in found.items()}


def test_a_path_of_plugins_is_in_place_of_all_other_folders(tmp_path: Path) -> None:
    (tmp_path / ".packer.d").mkdir()
    others = {"PACKER_CONFIG_DIR": "/config", "XDG_CONFIG_HOME": "/xdg", "HOME": str(tmp_path)}
    # Packer looks for a relative one from a folder of its own, not from where we are.
    environ = {"PACKER_PLUGIN_PATH": "/one:relative::/two", **others}
    assert folders(environ, PACKER) == [Path("/one"), Path("/two")]
    assert folders({"PACKER_PLUGIN_PATH": "", **others}, PACKER)[0] == Path("/opt/packer")


@pytest.mark.parametrize(
    ("environ", "old", "expected"),
    [
        ({"PACKER_CONFIG_DIR": "/config", "XDG_CONFIG_HOME": "/xdg"}, True, "/config/.packer.d/plugins"),
        ({"XDG_CONFIG_HOME": "/xdg"}, True, "{home}/.packer.d/plugins"),
        ({"XDG_CONFIG_HOME": "/xdg"}, False, "/xdg/packer/plugins"),
        ({}, True, "{home}/.packer.d/plugins"),
        ({}, False, "{home}/.config/packer/plugins"),
    ],
)
def test_one_folder_of_the_user_counts(
    tmp_path: Path, environ: dict[str, str], old: bool, expected: str
) -> None:
    if old:
        (tmp_path / ".packer.d").mkdir()
    found = folders({"HOME": str(tmp_path), **environ}, PACKER)
    assert found == [Path("/opt/packer"), Path(expected.format(home=tmp_path))]


def test_without_a_home_only_the_folder_of_packer_counts() -> None:
    assert folders({"XDG_CONFIG_HOME": "/xdg"}, PACKER) == [Path("/opt/packer")]


def test_the_folder_of_packer_is_that_of_the_program_itself(tmp_path: Path) -> None:
    program = tmp_path / "packer-1.9.4" / "packer"
    program.parent.mkdir()
    program.touch()
    link = tmp_path / "packer"
    link.symlink_to(program)
    put(program.parent, "packer-plugin-proxmox_v1.1.3_x5.0_linux_arm64")
    assert versions(installed({}, str(link))) == {SOURCE: ["1.1.3"]}


def test_only_what_packer_would_run_on_this_machine_is_installed(tmp_path: Path) -> None:
    put(tmp_path, "packer-plugin-proxmox_v1.0.0_x5.0_linux_arm64")
    put(tmp_path, "packer-plugin-proxmox_v1.1.0_x5.0_linux_amd64")
    put(tmp_path, "packer-plugin-proxmox_v1.2.0_x5.0_darwin_arm64")
    put(tmp_path, "packer-plugin-other_v1.3.0_x5.0_linux_arm64")
    put(tmp_path, "packer-plugin-proxmox_v1.4.0_x5.0_linux_arm64", checksum=False)
    put(tmp_path, "packer-plugin-proxmox_v1.5.0_x5.0_linux_arm64.old")
    found = installed({"PACKER_PLUGIN_PATH": str(tmp_path)}, PACKER)
    assert found == {SOURCE: {"1.0.0": tmp_path / SOURCE / "packer-plugin-proxmox_v1.0.0_x5.0_linux_arm64"}}


def test_versions_are_sorted_by_their_numbers(tmp_path: Path) -> None:
    for version in ("1.10.0", "1.9.0", "1.10.0-dev", "1.9.0"):
        put(tmp_path, f"packer-plugin-proxmox_v{version}_x5.0_linux_arm64")
    expected = {SOURCE: ["1.9.0", "1.10.0-dev", "1.10.0"]}
    assert versions(installed({"PACKER_PLUGIN_PATH": str(tmp_path)}, PACKER)) == expected


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ([""], "1.10.0"),
        ([">= 1.0.0"], "1.10.0"),
        (["~> 1.9.0"], "1.9.0"),
        ([">= 1.0.0", "< 1.10.0"], "1.9.0"),
        (["> 1.10.0"], ""),
    ],
)
def test_the_newest_version_is_used_that_is_allowed(constraints: list[str], expected: str) -> None:
    there = {"1.2.0": Path("a"), "1.9.0": Path("b"), "1.10.0": Path("c")}
    assert used(constraints, there) == expected
    assert used(constraints, {}) == ""


def test_a_packer_that_orders_versions_as_texts_takes_the_last_text() -> None:
    there = {"1.2.0": Path("a"), "1.9.0": Path("b"), "1.10.0": Path("c")}
    assert used(["> 1.0.0"], there, "text") == "1.9.0"
    assert used(["> 1.9.0"], there, "text") == "1.10.0"


def test_builders_are_those_of_the_newest_version_in_the_first_folder(tmp_path: Path) -> None:
    for place, version, name in (("one", "1.1.0", "a"), ("two", "1.1.0", "b"), ("two", "1.0.0", "c")):
        text = f"""echo '{{"builders": ["{name}"]}}'"""
        put(tmp_path / place, f"packer-plugin-proxmox_v{version}_x5.0_linux_arm64", text=text)
    environ = {"PACKER_PLUGIN_PATH": f"{tmp_path}/one:{tmp_path}/two"}
    assert plugins.builders(environ, PACKER) == ["proxmox-a"]


def test_builders_have_the_name_of_their_plugin_in_front() -> None:
    told = (
        '{"version":"1.1.3","builders":["clone","iso","-packer-default-plugin-name-"],"provisioners":["x"]}'
    )
    assert builder_names(SOURCE, told) == ["proxmox-clone", "proxmox-iso", "proxmox"]


@pytest.mark.parametrize(
    "told", ["", "no JSON", "[]", "null", "{}", '{"builders": null}', '{"builders": [1]}']
)
def test_what_is_no_description_names_none(told: str) -> None:
    assert builder_names(SOURCE, told) == []
