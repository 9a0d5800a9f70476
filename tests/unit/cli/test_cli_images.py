"""``packer-hybrid images``: what each verb prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridcore import cli
from tests.support.images import BASE, WEB, Shelf
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def shelf(make_workspace: Callable[..., WorkspaceFolder]) -> Shelf:
    found = Shelf(make_workspace().open())
    found.build(BASE)
    for _ in range(2):
        found.build(WEB, parent=f"{BASE}@1")
    return found


def test_show_prints_one_object(data: Callable[..., dict[str, Any]], run: Callable[..., str]) -> None:
    found = data("show", f"{WEB}@1")
    assert (found["image"], found["version"], found["channels"], found["revoked"]) == (str(WEB), 1, [], None)
    assert found["artifacts"][0]["id"] == "VM"
    assert (found["parent"]["image"], found["parent"]["version"]) == (str(BASE), 1)
    assert data("show", str(WEB))["version"] == 2
    assert run("show", f"{WEB}@2").startswith(f"{WEB}@2\n")


def test_json_may_stand_before_the_command(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--workspace", str(shelf.workspace.root), "--json", "images", "show", str(WEB)]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 2


def test_the_way_of_a_channel(data: Callable[..., dict[str, Any]], run: Callable[..., str]) -> None:
    assert data("promote", f"{WEB}@1", "stable", "--reason", "tests passed")["changed"] is True
    assert data("promote", f"{WEB}@1", "stable")["changed"] is False
    assert data("promote", f"{WEB}@2", "stable", "--check", code=5)["changed"] is True
    run("promote", f"{WEB}@2", "stable")
    assert data("show", f"{WEB}@stable")["version"] == 2
    assert data("rollback", f"{WEB}@stable")["moved"][0]["after"] == 1
    assert "cannot go back" in run("rollback", str(WEB), "stable", code=1)
    text = run("list", str(WEB))
    assert "stable: rolled back to 1" in text
    assert "stable: promoted to 1" in text
    assert "tests passed" in text


def test_a_revoked_version_is_not_promoted_and_exits_with_1(
    data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    assert data("revoke", f"{WEB}@1", "--reason", "bad kernel")["changed"] is True
    assert data("show", f"{WEB}@1")["revoked"]["reason"] == "bad kernel"
    assert "bad kernel" in run("promote", f"{WEB}@1", "stable", code=1)
    assert data("promote", f"{WEB}@1", "stable", code=1)["error"] == "ImagesError"
    run("restore", f"{WEB}@1")
    assert data("show", f"{WEB}@1")["revoked"] is None
    run("promote", f"{WEB}@1", "stable")


def test_a_revocation_in_some_days_is_announced(
    data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    run("revoke", f"{WEB}@1", "--reason", "end of life", "--in", "30d")
    found = data("show", f"{WEB}@1")
    assert (found["revoked"], found["revocation_announced"]["reason"]) == (None, "end of life")
    assert "is no time span" in run("revoke", f"{WEB}@1", "--reason", "x", "--in", "soon", code=1)


@pytest.mark.parametrize(
    "argv",
    [
        ("promote", "dev:linux/qemu/web@1", "latest"),
        ("promote", "dev:linux/qemu/web@1", "7"),
        ("promote", "dev:linux/qemu/web@9", "stable"),
        ("show", "dev:linux/qemu/none"),
        ("show", "nonsense"),
        ("restore", "dev:linux/qemu/web"),
        ("find", "nonsense"),
        ("export", "dev:linux/qemu/web", "--format", "vagrant"),
        ("retire", "dev:linux/qemu/web@2"),
        ("forget", "dev:linux/qemu/none"),
    ],
)
def test_what_cannot_be_is_one_error_with_exit_code_1(
    argv: tuple[str, ...], data: Callable[..., dict[str, Any]]
) -> None:
    assert data(argv[0], *argv[1:], code=1)["error"] == "ImagesError"


@pytest.mark.parametrize(
    "argv",
    [
        ("label", "dev:linux/qemu/web@1"),
        ("label", "dev:linux/qemu/web@1", "owner"),
        ("rollback", "dev:linux/qemu/web"),
        ("rollback", "dev:linux/qemu/web@stable", "edge"),
        ("rollback", "dev:linux/qemu/web@1"),
        ("retire", "dev:linux/qemu/web@1", "dev:linux/qemu/base"),
    ],
)
def test_wrong_arguments_exit_with_2(argv: tuple[str, ...], run: Callable[..., str]) -> None:
    assert run(*argv, code=2)


def test_list_tells_images_and_their_channels(
    data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    run("promote", f"{WEB}@1", "stable")
    found = {one["image"]: one for one in data("list")["images"]}
    assert found[str(WEB)]["channels"] == {"latest": 2, "stable": 1}
    assert [one["version"] for one in found[str(WEB)]["versions"]] == [2, 1]
    assert run("list").splitlines()[2].split() == [str(WEB), "2", "stable=1", "2"]


def test_labels_holds_retirement_and_forgetting(
    data: Callable[..., dict[str, Any]], run: Callable[..., str], shelf: Shelf
) -> None:
    run("label", f"{WEB}@1", "owner=web", "os=12")
    run("label", f"{WEB}@1", "--remove", "os")
    assert data("show", f"{WEB}@1")["labels"] == {"owner": "web"}
    run("hold", f"{WEB}@1", "--reason", "audit")
    for _ in range(2):
        shelf.build(WEB, parent=f"{BASE}@1")
    found = data("retire", "--dry-run", str(WEB))["versions"]
    assert {one["version"]: (one["stays"], one["reason"]) for one in found}[1] == (True, "it is held: audit")
    assert data("retire", "--check", str(WEB), code=5)["changed"] is True
    assert f"{WEB}@2 retired: it is not one of the newest 2 good ones" in run("retire", str(WEB))
    assert data("retire")["changed"] is False
    assert data("forget")["could_be_forgotten"] == [str(BASE), str(WEB)]
    run("hold", f"{WEB}@1", "--release")
    run("forget", str(WEB))
    assert [one["image"] for one in data("list")["images"]] == [str(BASE)]


def test_lineage_find_and_export(
    data: Callable[..., dict[str, Any]], run: Callable[..., str], shelf: Shelf, tmp_path: Path
) -> None:
    assert f"\n  {WEB}@1" in run("lineage", str(BASE))
    assert run("lineage", "--mermaid", str(BASE)).startswith("flowchart TD\n")
    assert len(data("lineage", str(BASE))["edges"]) == 2
    assert data("find", str(shelf.file(WEB, 1)))["found"][0]["version"] == 1
    assert run("find", str(shelf.file(WEB, 1))) == f"{WEB}@1  (by path)\n"
    file = tmp_path / "web.pkrvars.hcl"
    assert run("export", str(WEB), "--format", "pkrvars", "--output", str(file)) == ""
    assert f'image_path = "{shelf.file(WEB, 2)}"' in file.read_text()
    assert data("export", str(WEB), "--format", "tfvars")["text"].startswith("{")


def test_a_version_goes_to_another_environment(
    data: Callable[..., dict[str, Any]], run: Callable[..., str]
) -> None:
    found = data("promote", f"{WEB}@1", "prod:stable")
    assert (found["image"], found["version"], found["moved"][0]["channel"]) == (
        "prod:linux/qemu/web",
        1,
        "stable",
    )
    shown = data("show", "prod:linux/qemu/web@stable")
    assert (shown["origin"]["image"], shown["origin"]["version"]) == (str(WEB), 1)
    assert run("promote", f"{WEB}@1", "prod:") == f"{WEB}@1 is prod:linux/qemu/web@1 already\n"


def test_what_people_wrote_cannot_forge_a_line(run: Callable[..., str]) -> None:
    run("revoke", f"{WEB}@1", "--reason", "bad\nprod:linux/qemu/web@1  fine\x1b[2J")
    assert len(run("list", str(WEB)).splitlines()) == 4
    assert "\x1b" not in run("show", f"{WEB}@1")
