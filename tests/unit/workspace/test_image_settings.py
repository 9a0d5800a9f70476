"""The ``[images]`` tables of the settings: what they may say, and what is wrong with others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import WorkspaceError
from hybridcore.image_settings import IMAGE_KEYS, ParentSetting, age_s
from hybridcore.settings import parse_settings
from tests.support.workspaces import WorkspaceFolder


def test_a_table_with_everything() -> None:
    text = (
        '[images."linux/proxmox/{name}"]\ntemplate = "."\nonly = "proxmox-iso.vm"\ncwd = "."\n'
        'var_files = ["a.pkrvars.hcl"]\neach = "os/*.pkrvars.hcl"\ninputs = ["scripts/**"]\nmax_age = "7d"\n'
        "vars = {cpus = 2}\n"
    )
    (image,) = parse_settings(text).images.values()
    assert image.only == ("proxmox-iso.vm",)
    assert (image.template, image.cwd, image.each) == (".", ".", ("os/*.pkrvars.hcl",))
    assert (image.var_files, image.inputs) == (("a.pkrvars.hcl",), ("scripts/**",))
    assert (image.max_age, image.vars) == ("7d", {"cpus": 2})


def test_a_parent_is_a_target_alone_or_a_table() -> None:
    text = (
        '[images."linux/qemu/app"]\nparent = "linux/qemu/web"\nchecks = "checks/app.yml"\n\n'
        "[images.'linux/qemu/web']\n"
        'parent = {target = "linux/qemu/base", channel = "stable", variables = {disk = "path"}}\n'
        '[images."linux/qemu/web".vars]\ncpus = 2\n'
    )
    app, web = parse_settings(text).images.values()
    assert (app.parent, app.checks, app.line) == (ParentSetting("linux/qemu/web"), "checks/app.yml", 1)
    assert web.parent == ParentSetting("linux/qemu/base", "stable", {"disk": "path"})
    assert web.line == 5


@pytest.mark.parametrize(
    ("age", "seconds"), [("90s", 90), ("2m", 120), ("12h", 43200), ("7d", 604800), ("2w", 1209600), ("7", 0)]
)
def test_ages(age: str, seconds: int) -> None:
    assert age_s(age) == seconds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[images."linux/web"]\n', "does not name a target"),
        ('[images."linux/../web"]\n', "does not name a target"),
        ('[images."linux/qemu/web"]\ntempalte = "x"\n', "unknown setting 'tempalte'"),
        ('[images."linux/qemu/web"]\ntemplate = "../x"\n', "must lie in the workspace"),
        ('[images."linux/qemu/web"]\ntemplate = "/x"\n', "must lie in the workspace"),
        ('[images."linux/qemu/web"]\nvar_files = ["../x"]\n', "must lie in the workspace"),
        ('[images."linux/qemu/web"]\nvar_files = "x"\n', "must be a list of strings"),
        ('[images."linux/qemu/web"]\nmax_age = "soon"\n', "must be an age such as 7d or 12h"),
        ('[images."linux/qemu/web"]\nmax_age = 7\n', "must be a string"),
        ('[images."linux/qemu/web"]\neach = "*.pkrvars.hcl"\n', "go together"),
        ('[images."linux/qemu/{name}"]\n', "go together"),
        ('include = ["../x"]\n', "include must be a list of patterns"),
        (
            '\n[images."linux/qemu/web"]\nparent = "base"\n',
            ':2: [images."linux/qemu/web"] parent does not name',
        ),
        ('[images."linux/qemu/web"]\nparent = "linux/qemu/{name}"\n', "parent does not name a target"),
        ('[images."linux/qemu/web"]\nparent = 3\n', "parent must be a target, or a table"),
        ('[images."linux/qemu/web"]\nparent = {channel = "stable"}\n', "parent does not name a target"),
        (
            '[images."linux/qemu/web"]\nparent = {target = "linux/qemu/base", chanel = "stable"}\n',
            "has an unknown setting 'chanel' in parent",
        ),
        (
            '[images."linux/qemu/web"]\nparent = {target = "linux/qemu/base", channel = ""}\n',
            "channel must be a name such as stable, not ''",
        ),
        (
            '[images."linux/qemu/web"]\nparent = {target = "linux/qemu/base", variables = ["x"]}\n',
            "variables must be a table",
        ),
        (
            '[images."linux/qemu/web"]\nparent = {target = "linux/qemu/base", variables = {x = "file"}}\n',
            "x = 'file' is not one of path, checksum, id, name, version",
        ),
        ('[images."linux/qemu/web"]\nchecks = "../web.yml"\n', "must lie in the workspace"),
    ],
)
def test_what_is_wrong_is_told(text: str, says: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        parse_settings(text)
    assert says in str(caught.value)


def test_images_of_included_files(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.settings('include = ["images.d/*.toml"]\n')
    space.write("images.d/one.toml", '[images."linux/qemu/one"]\ntemplate = "x"\n')
    space.write("images.d/two.toml", '[images."linux/qemu/two"]\ntemplate = "x"\n')
    images = space.open().settings.images
    assert {target: image.file for target, image in images.items()} == {
        "linux/qemu/one": "images.d/one.toml",
        "linux/qemu/two": "images.d/two.toml",
    }
    space.write("images.d/two.toml", '[images."linux/qemu/one"]\n[build]\n')
    with pytest.raises(WorkspaceError) as caught:
        space.open()
    assert "linux/qemu/one is declared in images.d/one.toml too" in str(caught.value)
    assert "unknown setting 'build'" in str(caught.value)
    space.write("images.d/two.toml", "images = 3\n")
    with pytest.raises(WorkspaceError, match=r"images\.d/two\.toml: \[images\] must be a table"):
        space.open()
    space.settings('include = ["none/*.toml"]\n')
    with pytest.raises(WorkspaceError, match="no file is named"):
        space.open()


def test_the_documentation_has_every_key(repository: Path) -> None:
    text = (repository / "docs/settings.md").read_text()
    assert [name for name in IMAGE_KEYS if f"| `{name}` |" not in text] == []
