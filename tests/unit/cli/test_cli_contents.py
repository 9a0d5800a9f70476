"""``packer-hybrid images contents`` and ``images diff``: what they print, and their exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hybridcore.images.mirrors import Mirrors, Offered
from tests.support.images import WEB, Shelf, installed
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def shelf(make_workspace: Callable[..., WorkspaceFolder]) -> Shelf:
    found = Shelf(make_workspace().open())
    for _ in range(2):
        found.build(WEB)
    return found


def test_contents_of_a_version_and_the_versions_that_hold_a_package(
    shelf: Shelf, data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    shelf.build(WEB, contents=installed(openssl="3.0-1", bash="5.2-1"))
    found = data("contents", str(WEB))
    assert (found["version"], [one["name"] for one in found["packages"]]) == (3, ["bash", "openssl"])
    assert run("contents", f"{WEB}@3").splitlines()[0] == f"{WEB}@3: 2 packages, debian"
    document = json.loads(run("contents", "--cyclonedx", f"{WEB}@3"))
    assert document["specVersion"] == "1.6"
    held = data("contents", str(WEB), "--package", "openssl")
    assert [(one["version"], one["package"]["version"]) for one in held["found"]] == [(3, "3.0-1")]
    assert [one["version"] for one in held["unknown"]] == [2, 1]
    text = run("contents", str(WEB), "--package", "openssl")
    assert f"{WEB}@3  openssl  3.0-1" in text
    assert f"{WEB}@1: the contents of {WEB}@1 are not known" in text
    assert "is in no version" in run("contents", str(WEB), "--package", "nginx")
    assert "provisioner" in run("contents", f"{WEB}@1", code=1)


def test_diff_of_two_versions(
    shelf: Shelf, data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    shelf.build(WEB, contents=installed(openssl="3.0-1", bash="5.2-1"), content="a" * 10)
    shelf.build(WEB, contents=installed(openssl="3.0-2", curl="8-1"), content="a" * 2_000_000)
    found = data("diff", f"{WEB}@3", "@4")
    assert found["packages"]["upgraded"] == [{"name": "openssl", "before": "3.0-1", "after": "3.0-2"}]
    assert found["sizes"] == [{"name": "disk", "before": 10, "after": 2_000_000}]
    assert data("diff", f"{WEB}@3", f"{WEB}@latest") == found
    lines = run("diff", f"{WEB}@3", "@4").splitlines()
    assert lines == [
        f"{WEB}@3 -> {WEB}@4",
        "packages upgraded (1):",
        "  openssl  3.0-1 -> 3.0-2",
        "packages added (1):",
        "  curl  - -> 8-1",
        "packages removed (1):",
        "  bash  5.2-1 -> -",
        "inputs: the same",
        "sizes:",
        "  disk  0.0 MB -> 2.0 MB",
    ]
    assert "packages: not known" in run("diff", f"{WEB}@1", "@4")
    assert "no version 9" in run("diff", f"{WEB}@1", "@9", code=1)


def test_verify_says_what_is_wrong_and_exits_with_1(
    shelf: Shelf, data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    found = data("verify", f"{WEB}@1")
    assert (found["ok"], found["signed"]) == (True, False)
    assert run("verify", f"{WEB}@1").splitlines()[-1] == f"{WEB}@1: nothing is wrong; not signed"
    shelf.file(WEB, 1).write_text("something else")
    assert data("verify", f"{WEB}@1", code=1)["ok"] is False
    text = run("verify", f"{WEB}@1", code=1)
    assert f"WRONG  {shelf.workspace.relative(shelf.file(WEB, 1))}: it is not what was built" in text
    assert f"{WEB}@1: this is not what was built; not signed" in text


def test_outdated_says_what_has_updates_and_exits_with_1_where_it_is_not_known(
    shelf: Shelf, data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    text = run("outdated", code=1)
    assert f"{WEB}@2: not known: the contents of {WEB}@2 are not known" in text
    mirrors = ("deb http://127.0.0.1:1/debian bookworm main",)
    shelf.build(WEB, contents=replace(installed(openssl="3.0-1"), mirrors=mirrors))
    ring = shelf.workspace.root / "ring.gpg"
    ring.write_bytes(b"")
    (shelf.workspace.root / "packer-hybrid.toml").write_text('[mirrors]\nkeyring = "ring.gpg"\n')
    [found] = data("outdated", str(WEB), code=1)["images"]
    assert (found["version"], found["updates"]) == (3, None)
    assert found["unknown"].startswith("offline: the mirror cannot be asked")


def test_updates_are_a_table(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, run: Callable[..., str]) -> None:
    mirrors = ("deb http://mirror/debian bookworm main",)
    shelf.build(WEB, contents=replace(installed(openssl="3.0-1", bash="5"), mirrors=mirrors))
    offered = {"openssl:amd64": [Offered("3.0-2", "bookworm-security", security=True)]}
    monkeypatch.setattr(Mirrors, "offered", lambda *_: offered)
    assert [line.split() for line in run("outdated", str(WEB)).splitlines()] == [
        f"{WEB}@3: 1 packages have updates, 1 of them for security".split(),
        ["PACKAGE", "INSTALLED", "AVAILABLE", "SUITE"],
        ["openssl", "3.0-1", "3.0-2", "bookworm-security", "security"],
    ]
    monkeypatch.setattr(Mirrors, "offered", lambda *_: {})
    assert run("outdated") == f"{WEB}@3: up to date\n"
