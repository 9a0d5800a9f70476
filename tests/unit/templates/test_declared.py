"""Images that the settings declare; how they are built is in tests/integration/test_declared_images.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import TemplatesError
from hybridcore.templates import declared
from hybridcore.templates.template import Template
from tests.support.workspaces import WorkspaceFolder

TEMPLATE = 'source "qemu" "a" {\n  cpus = 1\n}\nsource "null" "b" {}\nbuild {\n  sources = [%s]\n}\n'
BOTH = TEMPLATE % '"qemu.a", "null.b"'
TARGET = "linux/qemu/web"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    space = make_workspace()
    space.write("t/x.pkr.hcl", BOTH)
    return space


def table(target: str = TARGET, **keys: object) -> str:
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    return f'[images."{target}"]\n{lines}'


def images(space: WorkspaceFolder, *tables: str) -> dict[str, declared.Declared]:
    space.settings("".join(tables))
    return declared.expand(space.open())


def load(space: WorkspaceFolder, *tables: str) -> Template:
    return declared.load(images(space, *tables)[TARGET], space.open())


def faults(act: Callable[..., object], space: WorkspaceFolder, *tables: str) -> list[str]:
    with pytest.raises(TemplatesError) as caught:
        act(space, *tables)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("debian-12.pkrvars.hcl", "debian-12"),
        ("os/rhel-9.4.pkrvars.json", "rhel-9.4"),
        ("a.b.auto.pkrvars.hcl", "a.b.auto"),
        (".hidden.pkrvars.hcl", ""),  # which is no name of a target
    ],
)
def test_stems(name: str, stem: str) -> None:
    assert declared.stem(name) == stem


def test_one_image_for_each_file_of_values_sorted_by_target(space: WorkspaceFolder) -> None:
    for name in ("os/b.pkrvars.hcl", "os/a.pkrvars.json", "os/in/c.pkrvars.hcl", "os/notes.txt"):
        space.write(name, "")
    found = images(
        space,
        table("linux/qemu/{name}", template="t", only="qemu.a", each=["os/**", "os/a*"]),
        table("aix/qemu/z", template="t"),
        table("linux/qemu/z", template="t"),  # before those of the first table, as its name is sorted
    )
    assert {target: one.values for target, one in found.items()} == {
        "aix/qemu/z": "",
        "linux/qemu/a": "os/a.pkrvars.json",
        "linux/qemu/b": "os/b.pkrvars.hcl",
        "linux/qemu/c": "os/in/c.pkrvars.hcl",
        "linux/qemu/z": "",
    }
    assert list(found) == sorted(found)


def test_the_images_of_one_table_are_sorted_by_file(space: WorkspaceFolder) -> None:
    files = [f"os/{letter}.pkrvars.hcl" for letter in "hgfedcba"]
    for name in files:
        space.write(name, "")
    space.settings(table("linux/qemu/{name}", template="t", each=files))
    workspace = space.open()
    (setting,) = workspace.settings.images.values()
    assert [one.values for one in declared.images_of(setting, workspace, [])] == sorted(files)


def test_what_each_finds_must_be_images_of_different_names(space: WorkspaceFolder) -> None:
    space.write("a/x.pkrvars.hcl", "")
    space.write("b/x.pkrvars.hcl", "")
    space.write("c/no name.pkrvars.hcl", "")
    space.write("d/qemu.pkrvars.hcl", "")
    found = faults(
        images,
        space,
        table("linux/qemu/{name}", template="t", each=["[abc]/*"]),
        table("linux/null/{name}", template="t", each=["gone/*"]),
        table("linux/qemu/y", template="t"),
        table("linux/{name}/y", template="t", each=["d/qemu*"]),
    )
    twice, rename = "is declared twice: by", "(rename one of the files)"
    assert sorted(found) == [
        'packer-hybrid.toml:1: [images."linux/qemu/{name}"]: c/no name.pkrvars.hcl gives no name of a target',
        f"packer-hybrid.toml:1: linux/qemu/x {twice} a/x.pkrvars.hcl and b/x.pkrvars.hcl {rename}",
        "packer-hybrid.toml:4: [images.\"linux/null/{name}\"]: no file of values is named by each = 'gone/*' "
        "(a pattern of *.pkrvars.hcl or *.pkrvars.json files, relative to the workspace)",
        f"packer-hybrid.toml:9: linux/qemu/y {twice} its table and d/qemu.pkrvars.hcl {rename}",
    ]


def test_an_image_has_the_files_the_folder_and_the_build_that_its_table_says(space: WorkspaceFolder) -> None:
    for name in ("b.auto.pkrvars.json", "c.auto.pkrvars.hcl", "a.auto.pkrvars.json", "own.pkrvars.hcl"):
        space.write(f"t/{name}", "")
    space.write("run/values.pkrvars.hcl", "")
    keys = {"template": "t", "only": "qemu.a", "cwd": "run", "var_files": ["run/values.pkrvars.hcl"]}
    image = load(space, table(**keys))
    assert image.only == ("qemu.a",)
    assert (image.builder, image.argument, image.cwd) == (
        "source.qemu.web",
        space.root / "t",
        space.root / "run",
    )
    # As Packer takes them: HCL before JSON, each by name; then what the table names.
    assert [path.name for path in image.var_files] == [
        "c.auto.pkrvars.hcl",
        "a.auto.pkrvars.json",
        "b.auto.pkrvars.json",
        "values.pkrvars.hcl",
    ]
    assert image.slice is not None
    assert "source.qemu.a" in image.slice.parts
    assert "source.null.b" not in image.slice.parts


def test_one_file_is_a_template_without_what_lies_beside_it(space: WorkspaceFolder) -> None:
    space.write("t/a.auto.pkrvars.hcl", "")
    space.write("t/other.pkr.hcl", "= wrong")
    image = load(space, table(template="t/x.pkr.hcl", only="qemu.a"))
    assert (image.argument, image.cwd, image.folder) == (
        space.root / "t/x.pkr.hcl",
        space.root / "t",
        space.root / "t",
    )
    assert image.var_files == ()


def test_the_last_build_is_the_image(space: WorkspaceFolder) -> None:
    image = load(space, table(template="t", only=["null.b", "qemu.a"]))
    assert image.only == ("null.b", "qemu.a")
    assert image.builder_type == "qemu"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"template": "gone"}, ["template = 'gone': it is not there"]),
        (
            {"template": "gone", "cwd": "t/x.pkr.hcl", "var_files": ["t"]},
            [
                "cwd = 't/x.pkr.hcl': it is no folder",
                "template = 'gone': it is not there",
                "var_files = 't': it is no file",
            ],
        ),
        ({"template": "out"}, ["template = 'out': it leads out of the workspace"]),
        (
            {"template": "empty"},
            ["empty holds no *.pkr.hcl or *.pkr.json file (name a folder or a file of HCL2)"],
        ),
        (
            {"template": "old"},
            [
                "old holds no *.pkr.hcl or *.pkr.json file (the older JSON is not read; convert it: "
                "packer hcl2_upgrade -with-annotations web.json)"
            ],
        ),
        (
            {"template": "t", "only": "null.b"},
            [
                "a source of type 'null' does not belong to the platform 'qemu' "
                "(one of qemu, or another target)"
            ],
        ),
    ],
)
def test_what_cannot_be_used(
    space: WorkspaceFolder, tmp_path: Path, keys: dict[str, object], says: list[str]
) -> None:
    (tmp_path / "outside").mkdir()
    (space.root / "out").symlink_to(tmp_path / "outside")
    (space.root / "empty").mkdir()
    for name in ("web.json", "x.pkrvars.json"):
        space.write(f"old/{name}", "{}")
    assert faults(load, space, table(**keys)) == [f"packer-hybrid.toml:1: {TARGET}: {one}" for one in says]


def test_a_folder_of_the_convention_gets_keys_added(space: WorkspaceFolder) -> None:
    space.null("linux/null/demo")
    space.write("more.pkrvars.hcl", "")
    space.settings(table("linux/null/demo", cwd="t", var_files=["more.pkrvars.hcl"]))
    workspace = space.open()
    (one,) = declared.expand(workspace).values()
    from hybridcore.templates import load as load_target

    plain = load_target("linux/null/demo", workspace, {})
    added = declared.with_setting(plain, one)
    assert (plain.cwd, added.cwd) == (plain.folder, workspace.root / "t")
    assert added.var_files == (workspace.root / "more.pkrvars.hcl",)
    assert (added.setting, added.only, added.argument) == (one.setting, (), plain.argument)
    (space.root / "more.pkrvars.hcl").unlink()
    with pytest.raises(TemplatesError, match=r"var_files = 'more.pkrvars.hcl': it is not there"):
        declared.with_setting(plain, one)
