"""`generate_env_config` on small workspaces: precedence, merging, faults, secrets, bytes on disk."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hybridcore import hcl
from hybridcore.config import generate_env_config
from hybridcore.config.generate import read_inputs
from hybridcore.errors import ConfigError, TemplatesError, WorkspaceError
from tests.support.workspaces import WorkspaceFolder

BUILD = """
source "null" "NAME" {
  communicator = "none"
}

build {
  sources = ["source.null.NAME"]
}
"""
TARGET = "linux/null/demo"
REPOSITORY = Path(__file__).resolve().parents[3]


class Folder:
    """A workspace with templates of the null builder, and short ways to render it."""

    def __init__(self, folder: WorkspaceFolder) -> None:
        self.folder = folder
        self.root = folder.root
        self.write = folder.write

    def template(self, variables: str, target: str = TARGET) -> str:
        return self.folder.template(target, variables + BUILD.replace("NAME", target.rsplit("/", 1)[-1]))

    def render(self, *targets: Any, write: bool = True, env: str = "dev", **inputs: Any) -> dict[str, Any]:
        inputs = {"env": env, "targets": list(targets) or [TARGET], **inputs}
        return generate_env_config(inputs, workspace=self.folder.open(), write=write)

    def values(self, *targets: Any, **inputs: Any) -> dict[str, Any]:
        result = self.render(*targets, **inputs)
        body = hcl.loads(Path(result["files"][0]["path"]).read_text(encoding="utf-8"))
        return {name: attribute.value for name, attribute in body.attributes.items()}

    def faults(self, *targets: Any, **inputs: Any) -> list[str]:
        before = sorted((self.root / "configs").rglob("*"))
        with pytest.raises(ConfigError) as caught:
            self.render(*targets, **inputs)
        assert sorted((self.root / "configs").rglob("*")) == before, "something was written"
        return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def folder(make_workspace: Callable[..., WorkspaceFolder]) -> Folder:
    return Folder(make_workspace())


# Layers

LAYERS = [
    "environments/common/a.pkrvars.hcl",
    "environments/common/b.pkrvars.hcl",
    "environments/common/linux.pkrvars.hcl",
    "environments/common/linux/a.pkrvars.hcl",
    "environments/common/linux/null.pkrvars.hcl",
    "environments/common/linux/null/a.pkrvars.hcl",
    "environments/common/linux/null/demo.pkrvars.hcl",
    "environments/common/linux/null/demo/a.pkrvars.hcl",
    "environments/dev/a.pkrvars.hcl",
    "environments/dev/linux/z.pkrvars.hcl",
    "environments/dev/linux/null/a.pkrvars.hcl",
    "environments/dev/linux/null/demo.pkrvars.hcl",
    "environments/dev/linux/null/demo/a.pkrvars.json",
    "environments/dev/linux/null/demo/b.pkrvars.hcl.tmpl",
]


def test_each_layer_wins_over_all_before_it(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n  default = "default"\n}\n')
    assert folder.values() == {"x": "default"}
    for path in LAYERS:
        folder.write(path, json.dumps({"x": path}) if path.endswith("json") else f'x = "{path}"\n')
        assert folder.values() == {"x": path}
    assert folder.values(provisioners={"x": "switch"}) == {"x": "switch"}
    assert folder.values(vars={"x": "all"}) == {"x": "all"}
    assert folder.values({"target": TARGET, "vars": {"x": "own"}}, vars={"x": "all"}) == {"x": "own"}


def test_every_layer_alone_reaches_the_target(folder: Folder) -> None:
    folder.template("".join(f'variable "v{n}" {{\n  default = ""\n}}\n' for n in range(len(LAYERS))))
    for number, path in enumerate(LAYERS):
        text = json.dumps({f"v{number}": path}) if path.endswith("json") else f'v{number} = "{path}"\n'
        folder.write(path, text)
    result = folder.render()
    assert result["files"][0]["origins"] == {f"v{n}": f"{path}:1" for n, path in enumerate(LAYERS)}


def test_a_file_for_another_target_platform_or_system_does_not_count(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = "default"\n}\n')
    folder.template('variable "x" {\n  default = "d"\n}\n', "linux/null/other")
    folder.template('variable "x" {\n  default = "d"\n}\n', "windows/null/demo")
    for path in (
        "linux/null/other.pkrvars.hcl",
        "linux/null/other/a.pkrvars.hcl",
        "windows.pkrvars.hcl",
        "windows/a.pkrvars.hcl",
        "linux/qemu/a.pkrvars.hcl",
    ):
        folder.write(f"environments/dev/{path}", 'x = "wrong"\n')
    folder.write("environments/prod/a.pkrvars.hcl", 'x = "wrong"\n')
    assert folder.values() == {"x": "default"}


def test_folders_of_assets_are_not_systems(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = "default"\n}\n')
    folder.write("templates/ansible/roles/base/tasks.yml", "")
    folder.write("environments/dev/ansible.pkrvars.hcl", 'x = "set"\n')
    assert folder.values() == {"x": "set"}


def test_maps_merge_deeply_lists_replace_and_null_takes_back(folder: Folder) -> None:
    folder.template(
        'variable "m" {\n  type = map(map(string))\n'
        '  default = { a = { x = "0", y = "0" }, z = { k = "0" } }\n}\n'
        'variable "l" {\n  type = list(string)\n  default = ["0"]\n}\n'
        'variable "n" {\n  type = string\n  default = "0"\n}\n'
    )
    folder.write(
        "environments/common/a.pkrvars.hcl",
        'm = { a = { x = "1", n = "1" }, b = { p = "1" } }\nl = ["1", "1"]\nn = "1"\n',
    )
    folder.write(
        "environments/dev/a.pkrvars.hcl", 'm = { a = { n = null }, z = null }\nl = ["2"]\nn = null\n'
    )
    assert folder.values() == {
        "m": {"a": {"x": "1", "y": "0"}, "b": {"p": "1"}},
        "l": ["2"],
        "n": "0",
    }
    origins = folder.render()["files"][0]["origins"]
    assert origins["m"] == (
        "templates/linux/null/demo/build.pkr.hcl:1, environments/common/a.pkrvars.hcl:1, "
        "environments/dev/a.pkrvars.hcl:1"
    )
    assert origins["n"] == "templates/linux/null/demo/build.pkr.hcl:9"


def test_an_attribute_of_an_object_can_be_null(folder: Folder) -> None:
    folder.template('variable "o" {\n  type = object({ a = string, b = string })\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", 'o = { a = null, b = "x" }\n')
    assert folder.values() == {"o": {"a": None, "b": "x"}}


def test_null_for_a_required_variable_makes_it_missing(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n}\n')
    folder.write("environments/common/a.pkrvars.hcl", 'x = "1"\n')
    folder.write("environments/dev/a.pkrvars.hcl", "x = null\n")
    (fault,) = folder.faults()
    assert "x: expected string, found no value" in fault


def test_each_target_gets_only_what_it_declares(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n}\n')
    folder.template('variable "y" {\n  type = string\n}\n', "linux/null/other")
    folder.write("environments/dev/a.pkrvars.hcl", 'x = "1"\ny = "2"\n')
    assert folder.values(TARGET) == {"x": "1"}
    assert folder.values("linux/null/other") == {"y": "2"}
    assert folder.render()["warnings"] == []


def test_a_variable_that_no_target_declares_is_a_warning(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", '\nxx = "1"\n')
    result = folder.render({"target": TARGET, "vars": {"mine": 1}}, vars={"all": 1})
    assert result["warnings"] == [
        "all: no target declares this variable",
        "environments/dev/a.pkrvars.hcl:2: xx: no target declares this variable",
        "mine: given for linux/null/demo, which does not declare it",
    ]


def test_attributes_that_packer_drops_are_a_warning(folder: Folder) -> None:
    folder.template('variable "o" {\n  type = object({ size = string })\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", 'o = { size = "1", siez = "2" }\n')
    assert folder.values() == {"o": {"size": "1"}}
    assert folder.render()["warnings"] == [
        "environments/dev/a.pkrvars.hcl:1: o.siez is not in the declared type; Packer leaves it out"
    ]


def test_variables_blocks_declare_too(folder: Folder) -> None:
    folder.template('variables {\n  x = "a"\n  n = 5\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", 'n = "7"\n')
    assert folder.values() == {"n": 7, "x": "a"}


# What is wrong


def test_all_faults_of_all_targets_are_reported_together_and_sorted(folder: Folder) -> None:
    folder.template(
        'variable "n" {\n  type = number\n}\nvariable "need" {\n  type = list(string)\n}\n'
        'variable "s" {\n  sensitive = true\n}\n'
    )
    folder.template(
        'variable "b" {\n  type = bool\n}\nvariable "t" {\n  type = strnig\n}\n', "linux/null/other"
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'n = "two"\ns = "hunter2"\n')
    folder.write("environments/dev/b.pkrvars.hcl", "b = 1\nt = upper(1)\n")
    faults = folder.faults(TARGET, "linux/null/other")
    assert [re.sub(r" \((?!string).*", "", fault) for fault in faults] == [
        'environments/dev/a.pkrvars.hcl:1: n: expected number, found the string "two"',
        "environments/dev/a.pkrvars.hcl:2: s: a sensitive variable must not be given here",
        "environments/dev/b.pkrvars.hcl:1: b: expected bool, found the number 1",
        "environments/dev/b.pkrvars.hcl:2: t: expected a constant, found an expression that Packer would "
        "have to evaluate",
        "templates/linux/null/demo/build.pkr.hcl:4: need: expected list(string), found no value for "
        "linux/null/demo",
        "templates/linux/null/other/build.pkr.hcl:5: t: the type is not valid: 'strnig' is not a type; "
        "the types are string, number, bool, any, list, set, map, tuple, object",
    ]
    assert "hunter2" not in "".join(faults)


def test_a_missing_variable_says_where_it_could_be_set(folder: Folder) -> None:
    folder.template('\nvariable "x" {\n  type = string\n}\n')
    (fault,) = folder.faults()
    assert fault.startswith("templates/linux/null/demo/build.pkr.hcl:2: x: expected string")
    for place in (
        "environments/common/,",
        "environments/dev/,",
        "environments/dev/linux/,",
        "environments/dev/linux/null/,",
        "environments/dev/linux/null/demo/,",
        "or in vars",
    ):
        assert place in fault


def test_a_fault_points_to_the_overlay_that_gave_the_bad_part_of_a_merged_map(folder: Folder) -> None:
    folder.template('variable "m" {\n  type = map(number)\n}\n')
    folder.write("environments/common/a.pkrvars.hcl", 'm = { a = "bad" }\n')
    folder.write("environments/dev/a.pkrvars.hcl", "m = { b = 1 }\n")
    (fault,) = folder.faults()
    assert fault.startswith(
        'environments/common/a.pkrvars.hcl:1: m.a: expected number, found the string "bad'
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'm = { a = "bad" }\n')
    (fault,) = folder.faults()
    assert fault.startswith("environments/dev/a.pkrvars.hcl:1: m.a: ")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.pkrvars.hcl", "x = \n", "a.pkrvars.hcl:1: column"),
        ("a.pkrvars.hcl", 'x "label" {\n}\n', "a.pkrvars.hcl:1: a block 'x'"),
        ("a.pkrvars.hcl", "x = var.y\n", "a.pkrvars.hcl:1: x: expected a constant"),
        ("a.pkrvars.json", "{", "a.pkrvars.json:1: is not JSON"),
        ("a.pkrvars.json", "[]", "a.pkrvars.json:1: must hold one JSON object"),
        ("a.pkrvars.json", '{"x": 1, "x": 2}', "a.pkrvars.json: x: given twice"),
        ("a.pkrvars.json", '{"x": Infinity}', "a.pkrvars.json: is not JSON that HCL can express"),
        ("a.pkrvars.json", '{"x": NaN}', "a.pkrvars.json: is not JSON that HCL can express"),
        ("a.pkrvars.json", "[" * 100_000, "a.pkrvars.json: is nested too deep"),
    ],
)
def test_a_broken_overlay_is_a_fault(folder: Folder, name: str, text: str, says: str) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    folder.write(f"environments/dev/{name}", text)
    assert any(says in fault for fault in folder.faults())


def test_numbers_of_json_are_those_of_hcl(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = list(string)\n}\n')
    folder.write("environments/dev/a.pkrvars.json", '{"x": [5, 5.0, 1e2, 0.5, 123456789012345678901]}')
    assert folder.values() == {"x": ["5", "5", "100", "0.5", "123456789012345678901"]}


def test_an_overlay_that_is_not_utf8_is_a_fault(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    (folder.root / "environments/dev/a.pkrvars.hcl").write_bytes(b'x = "\xff"\n')
    assert "a.pkrvars.hcl: is not UTF-8 at byte 5" in folder.faults()[0]


def test_a_variable_declared_twice_is_a_fault(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    folder.write(f"templates/{TARGET}/z.pkr.hcl", 'variables {\n  x = "1"\n}\n')
    (fault,) = folder.faults()
    assert (
        fault
        == f"templates/{TARGET}/z.pkr.hcl:2: x: declared twice; first in templates/{TARGET}/build.pkr.hcl:1"
    )


def test_a_default_must_fit_its_type(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = number\n  default = "abc"\n}\n')
    assert folder.faults() == [
        f'templates/{TARGET}/build.pkr.hcl:3: x: the default must be number, not the string "abc"'
    ]


def test_environments_are_named_when_one_is_missing(folder: Folder) -> None:
    folder.template("")
    folder.write("environments/prod/.gitkeep", "")
    with pytest.raises(ConfigError, match=r"no environment 'stage'.*there are: dev, prod"):
        folder.render(env="stage")


@pytest.mark.parametrize("env", ["../x", "a/b", "", ".hidden", "-x"])
def test_an_environment_is_a_plain_name(folder: Folder, env: str) -> None:
    folder.template("")
    with pytest.raises(WorkspaceError, match="not the name of an environment"):
        folder.render(env=env)


def test_a_workspace_without_environments_needs_none(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = "a"\n}\n')
    (folder.root / "environments/dev").rmdir()
    (folder.root / "environments").rmdir()
    assert folder.values(env="any") == {"x": "a"}


def test_a_target_that_does_not_exist(folder: Folder) -> None:
    folder.template("")
    with pytest.raises(TemplatesError, match=r"linux/null/nope does not exist.*linux/null/demo"):
        folder.render("linux/null/nope")


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"targets": [TARGET], "surprise": 1}, "unknown input 'surprise'"),
        ({"targets": [1]}, "a target is a text"),
        ({"targets": [{"target": TARGET, "var": {}}]}, "a target is a text"),
        ({"targets": [TARGET, TARGET]}, "is there twice"),
        ({"targets": [TARGET], "vars": []}, "vars must be a map"),
        ({"targets": [TARGET], "vars": {"x": {1: 2}}}, "vars.x: the keys of a map must be texts"),
        ({"targets": [TARGET], "vars": {"x": {2}}}, "vars.x: a value of type set has no form in HCL"),
        ({"targets": [TARGET], "vars": {"x": float("nan")}}, "type float has no form"),
    ],
)
def test_inputs_of_the_wrong_shape(folder: Folder, inputs: dict[str, Any], says: str) -> None:
    folder.template("")
    with pytest.raises(ConfigError) as caught:
        generate_env_config({"env": "dev", **inputs}, workspace=folder.folder.open())
    assert says in str(caught.value)


@pytest.mark.parametrize("where", ["caller", "overlay"])
def test_a_text_that_utf8_cannot_hold(folder: Folder, where: str) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    if where == "overlay":
        folder.write("environments/dev/a.pkrvars.json", '{"x": "\\ud800"}')
    (fault,) = folder.faults(vars={"x": "\ud800"} if where == "caller" else {})
    assert "x: a text holds half a surrogate pair" in fault


def test_a_value_of_the_caller_that_holds_itself(folder: Folder) -> None:
    folder.template("")
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ConfigError, match="nested too deep"):
        folder.render(vars={"x": loop})


def test_an_overlay_outside_the_workspace_is_refused(folder: Folder, tmp_path: Path) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    (tmp_path / "outside.pkrvars.hcl").write_text('x = "stolen"\n')
    (folder.root / "environments/dev/a.pkrvars.hcl").symlink_to(tmp_path / "outside.pkrvars.hcl")
    assert "environments/dev/a.pkrvars.hcl: leads out of the workspace" in folder.faults()[0]


VAULT = b"$ANSIBLE_VAULT;1.1;AES256\n6162636465666768\n"
NEED = 'variable "need" {\n  type = string\n}\n'


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pkrvars.hcl", b"need = \n", "a.pkrvars.hcl:1: column 8"),
        ("a.pkrvars.hcl", b'need = "\xff"\n', "a.pkrvars.hcl: is not UTF-8"),
        ("a.pkrvars.json", b"{", "a.pkrvars.json:1: is not JSON"),
        ("a.pkrvars.hcl.tmpl", b"need = \n", "a.pkrvars.hcl.tmpl:1: column 8"),
        ("a.pkrvars.hcl.tmpl", b"\xff", "a.pkrvars.hcl.tmpl: is not UTF-8"),
        ("a.pkrvars.hcl", VAULT, "a.pkrvars.hcl:1: is encrypted by ansible-vault"),
        ("a.pkrvars.json", VAULT, "a.pkrvars.json:1: is encrypted by ansible-vault"),
        ("a.pkrvars.hcl.tmpl", VAULT, "a.pkrvars.hcl.tmpl:1: is encrypted by ansible-vault"),
        ("a.pkrvars.hcl", b"pipe", "a.pkrvars.hcl: cannot be read: it is no plain file"),
        ("a.pkrvars.hcl.tmpl", b"pipe", "a.pkrvars.hcl.tmpl: cannot be read: it is no plain file"),
        ("a.pkrvars.hcl", b"circle", "a.pkrvars.hcl: cannot be read: Too many levels of symbolic links"),
        ("a.pkrvars.hcl", b"outside", "a.pkrvars.hcl: leads out of the workspace"),
        ("a.pkrvars.hcl", b"need = upper(1)\n", "a.pkrvars.hcl:1: need: expected a constant"),
        ("a.pkrvars.hcl", b"need {\n}\n", "a.pkrvars.hcl:1: a block 'need'"),
        ("a.pkrvars.hcl.tmpl", b"need = ${x}\n", "a.pkrvars.hcl.tmpl:1: ${x}: there is no value for it"),
    ],
)
def test_an_overlay_that_cannot_be_used_adds_no_other_fault(
    folder: Folder, name: str, content: bytes, says: str
) -> None:
    rule = 'condition = var.need != "x"\n    error_message = "Not x."'
    checked = NEED.replace("}\n", f"  validation {{\n    {rule}\n  }}\n}}\n")
    folder.template(checked)
    folder.write("environments/common/a.pkrvars.hcl", 'need = "x"\n')
    path = folder.root / "environments/dev/linux/null" / name
    folder.write(f"environments/dev/linux/null/{name}", "")
    match content:
        case b"pipe":
            path.unlink()
            os.mkfifo(path)
        case b"circle" | b"outside":
            path.unlink()
            path.symlink_to(path if content == b"circle" else "/etc/hostname")
        case _:
            path.write_bytes(content)
    (fault,) = folder.faults()
    assert fault.startswith(f"environments/dev/linux/null/{says}")
    (folder.root / "environments/common/a.pkrvars.hcl").unlink()
    (fault,) = folder.faults()
    assert fault.startswith(f"environments/dev/linux/null/{says}")


def test_what_is_missing_in_another_target_is_told_all_the_same(folder: Folder) -> None:
    folder.template(NEED)
    folder.template(NEED, "windows/null/other")
    folder.write("environments/dev/linux/a.pkrvars.hcl", "need = \n")
    broken, missing = folder.faults(TARGET, "windows/null/other")
    assert broken.startswith("environments/dev/linux/a.pkrvars.hcl:1")
    assert "need: expected string, found no value for windows/null/other" in missing


def test_a_folder_of_overlays_in_a_circle_is_a_fault(folder: Folder) -> None:
    folder.template(NEED)
    circle = folder.root / "environments/dev/linux"
    folder.write("environments/dev/x.pkrvars.hcl", "")
    circle.symlink_to(circle)
    assert folder.faults() == [
        "environments/dev/linux: cannot be read: Too many levels of symbolic links",
    ]


# Names of overlays


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("windows.pkrvars.hcl", "counts for every target, since windows/ has no target"),
        ("proxmox.pkrvars.hcl", "counts for every target, since proxmox/ has no target"),
        ("lnux.pkrvars.json", "counts for every target, since lnux/ has no target (linux was meant?)"),
        ("null.pkrvars.hcl", "counts for every target, since null/ has no target"),
        ("demo.pkrvars.hcl.tmpl", "counts for every target, since demo/ has no target"),
        ("linux/nul.pkrvars.hcl", "counts for every target of linux, since linux/nul/ has no target"),
        (
            "linux/null/dmeo.pkrvars.hcl",
            "counts for every target of linux/null, since linux/null/dmeo/ has no target (demo was",
        ),
        ("windows/a.pkrvars.hcl", "is not used, since windows/ has no target"),
        ("linux/qemu/web/a.pkrvars.hcl", "is not used, since linux/qemu/ has no target"),
        ("linux/null/gone/a.pkrvars.json", "is not used, since linux/null/gone/ has no target"),
        ("linux/null/demo/more/a.pkrvars.hcl", "is not used, since linux/null/demo/more/ has no target"),
        ("linux/demo.hcl", "is not used, overlays end in .pkrvars.hcl, .pkrvars.json, .pkrvars.hcl.tmpl"),
        ("a.pkrvars", "is not used, overlays end in"),
    ],
)
@pytest.mark.parametrize("scope", ["common", "dev"])
def test_an_overlay_that_is_misspelt_misplaced_or_left_is_a_warning(
    folder: Folder, scope: str, name: str, says: str
) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    folder.write("environments/dev/sizes.pkrvars.hcl", 'x = "2"\n')
    folder.write(f"environments/{scope}/{name}", "{}" if name.endswith("json") else "")
    (warning,) = folder.render()["warnings"]
    place, _, words = warning.partition(": ")
    assert f"environments/{scope}/{name}".startswith(place)
    assert words.startswith(says)


def test_names_that_mean_what_they_say_are_no_warning(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    for path in (*LAYERS, "environments/dev/sizes.pkrvars.hcl", "environments/dev/linux/ansible.pkrvars.hcl"):
        folder.write(path, "{}" if path.endswith("json") else "")
    folder.write("environments/dev/README.md", "")
    folder.write("environments/dev/empty/.gitkeep", "")
    assert folder.render()["warnings"] == []


def test_an_overlay_that_links_inside_the_workspace_is_fine(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    folder.write("environments/all/x.pkrvars.hcl", 'x = "shared"\n')
    (folder.root / "environments/dev/a.pkrvars.hcl").symlink_to("../all/x.pkrvars.hcl")
    assert folder.values() == {"x": "shared"}


def test_configs_that_lead_out_of_the_workspace_are_not_written(folder: Folder, tmp_path: Path) -> None:
    folder.template("")
    (tmp_path / "elsewhere").mkdir()
    (folder.root / "configs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="leads out of the workspace"):
        folder.render()
    assert list((tmp_path / "elsewhere").iterdir()) == []


# Provisioners


def test_a_caller_who_contradicts_a_switch(folder: Folder) -> None:
    folder.template('variable "enable_ansible" {\n  type = bool\n  default = true\n}\n')
    (fault,) = folder.faults(provisioners={"enable_ansible": True}, vars={"enable_ansible": "false"})
    assert "enable_ansible: the caller's" in fault
    assert "contradicts" in fault
    same = folder.values(provisioners={"enable_ansible": True}, vars={"enable_ansible": "true"})
    assert same == {"enable_ansible": True}


def test_an_overlay_that_contradicts_a_switch_is_a_warning(folder: Folder) -> None:
    folder.template('variable "enable_puppet" {\n  type = bool\n  default = false\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", "enable_puppet = true\n")
    result = folder.render(provisioners={"enable_puppet": False, "enable_ansible": True})
    assert result["warnings"] == [
        "environments/dev/a.pkrvars.hcl:1: enable_puppet has no effect, the provisioners' switch decides it"
    ]
    assert result["files"][0]["origins"] == {"enable_puppet": "provisioners"}


OFF = {"enable_ansible": True, "enable_puppet": None}


@pytest.mark.parametrize("default", ["false", '"false"'])
def test_a_stack_that_is_off_leaves_no_variable(folder: Folder, default: str) -> None:
    switch = f'variable "enable_puppet" {{\n  type = bool\n  default = {default}\n}}\n'
    folder.template(switch + 'variable "enable_ansible" {\n  type = bool\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", "enable_puppet = false\n")
    result = folder.render(provisioners=OFF, vars={"enable_puppet": "false"})
    assert "puppet" not in result["files"][0]["after"]
    assert result["files"][0]["origins"] == {"enable_ansible": "provisioners"}
    assert result["warnings"] == []
    folder.write("environments/dev/a.pkrvars.hcl", "enable_puppet = true\n")
    result = folder.render(provisioners=OFF)
    assert "puppet" not in result["files"][0]["after"]
    assert result["warnings"] == [
        "environments/dev/a.pkrvars.hcl:1: enable_puppet has no effect, the provisioners' switch decides it"
    ]
    (fault,) = folder.faults(provisioners=OFF, vars={"enable_puppet": True})
    assert "contradicts the provisioners' switch, the bool false" in fault


@pytest.mark.parametrize("rest", ["", "  default = true\n", '  default = env("X")\n', "  default = null\n"])
def test_a_stack_that_is_off_needs_a_variable_that_is_off_by_default(folder: Folder, rest: str) -> None:
    folder.template('variable "enable_puppet" {\n  type = bool\n' + rest + "}\n")
    assert folder.faults(provisioners=OFF) == [
        f"templates/{TARGET}/build.pkr.hcl:1: enable_puppet: expected default = false, "
        "since its stack is off and gives no value (write default = false)"
    ]


# Variables of the build, sensitive variables


def test_variables_of_the_build_are_left_to_it(folder: Folder) -> None:
    folder.template('variable "hybridcore_fingerprint" {\n  type = string\n}\n')
    assert folder.values() == {}
    folder.write("environments/dev/a.pkrvars.hcl", 'hybridcore_fingerprint = "x"\n')
    assert "a.pkrvars.hcl:1: hybridcore_fingerprint: cannot be set" in folder.faults()[0]
    (folder.root / "environments/dev/a.pkrvars.hcl").unlink()
    assert "cannot be set by the caller" in folder.faults(vars={"hybridcore_target": "x"})[0]


def test_sensitive_variables_are_recorded_by_name_alone(folder: Folder) -> None:
    folder.template(
        'variable "token" {\n  type = string\n  sensitive = true\n}\n'
        'variable "password" {\n  type = string\n  sensitive = true\n  default = "hunter2"\n}\n'
        'variable "key" {\n  type = string\n  sensitive = true\n  default = "hunter2"\n}\n'
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'key = env("PKR_VAR_key")\n')
    result = folder.render()
    (file,) = result["files"]
    assert file["sensitive"] == ["key", "token"]
    text = Path(file["path"]).read_text(encoding="utf-8")
    assert "# token: sensitive" in text
    assert "hunter2" not in text + json.dumps(result)


@pytest.mark.parametrize(
    "given", ['token = "hunter2"\n', 'token = ["hunter2"]\n', 'token = env("PKR_VAR_x")\n']
)
def test_a_sensitive_value_in_an_overlay_is_refused(folder: Folder, given: str) -> None:
    folder.template('variable "token" {\n  type = string\n  sensitive = true\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl", given)
    (fault,) = folder.faults()
    assert fault.startswith("environments/dev/a.pkrvars.hcl:1: token: ")
    assert "hunter2" not in fault


def test_a_sensitive_value_of_the_caller_is_refused_and_the_way_is_named(folder: Folder) -> None:
    folder.template('variable "token" {\n  type = string\n  sensitive = true\n}\n')
    (fault,) = folder.faults(vars={"token": "hunter2"})
    assert "hunter2" not in fault
    for way in ("secrets", "--secret token", "PKR_VAR_token"):
        assert way in fault


@pytest.mark.parametrize("says", ["local.x", '"maybe"', "1"])
def test_a_sensitive_argument_that_cannot_be_read_counts_as_yes(folder: Folder, says: str) -> None:
    folder.template(
        f'variable "token" {{\n  default = "hunter2"\n  sensitive = {says}\n  type = number\n}}\n'
    )
    faults = folder.faults()
    assert any("token: sensitive must be true or false" in fault for fault in faults)
    assert any("token: the default must be number" in fault for fault in faults)
    assert "hunter2" not in "".join(faults)


def test_what_is_sensitive_in_one_target_is_not_shown_for_another(folder: Folder) -> None:
    folder.template('variable "pin" {\n  type = number\n}\n')
    folder.template('variable "pin" {\n  sensitive = true\n}\n', "linux/null/other")
    folder.write("environments/dev/linux/null/demo.pkrvars.hcl", 'pin = "hunter2"\n')
    (fault,) = folder.faults(TARGET, "linux/null/other")
    assert "pin: expected number, found a value that is not shown" in fault


def test_a_secret_in_the_file_on_disk_is_not_shown(folder: Folder) -> None:
    folder.template('variable "a" {\n  default = 1\n}\nvariable "token" {\n  sensitive = true\n}\n')
    old = 'token = {\n  k = "hunter2"\n}\na = 5\n'
    folder.write(f"configs/dev/{TARGET}.pkrvars.hcl", old)
    (file,) = folder.render(write=False)["files"]
    assert file["before"] == "token = (sensitive)\na = 5\n"
    folder.write(f"configs/dev/{TARGET}.pkrvars.hcl", old + "{")
    (file,) = folder.render(write=False)["files"]
    assert "hunter2" not in file["before"]


# Validations


def test_a_validation_that_fails_is_a_fault(folder: Folder) -> None:
    folder.template(
        'variable "x" {\n  type = string\n  default = ""\n  validation {\n    condition = length(var.x) > 2\n'
        '    error_message = "Three letters at least."\n  }\n}\n'
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'x = "ab"\n')
    (fault,) = folder.faults()
    assert fault.startswith("environments/dev/a.pkrvars.hcl:1: x: expected what its validation asks for")
    assert "Three letters at least." in fault
    assert 'found the string "ab"' in fault
    folder.write("environments/dev/a.pkrvars.hcl", 'x = "abc"\n')
    assert folder.values() == {"x": "abc"}


def test_a_validation_sees_the_converted_value(folder: Folder) -> None:
    folder.template(
        'variable "n" {\n  type = number\n  validation {\n    condition = var.n > 1\n'
        '    error_message = "More."\n  }\n}\n'
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'n = "2"\n')
    assert folder.values() == {"n": 2}


def test_a_validation_that_cannot_be_evaluated_is_left_to_packer(folder: Folder) -> None:
    folder.template(
        'variable "x" {\n  type = string\n  default = ""\n  validation {\n'
        '    condition = fileexists(var.x)\n    error_message = "No such file."\n  }\n}\n'
    )
    assert folder.render()["files"][0]["unchecked"] == ["x"]


def test_a_number_that_only_packer_can_read_is_left_to_it(folder: Folder) -> None:
    folder.template(
        'variable "x" {\n  type = number\n  default = "1p3"\n  validation {\n    condition = var.x == "1p3"\n'
        '    error_message = "No."\n  }\n}\n'
    )
    assert folder.render()["files"][0]["unchecked"] == ["x"]


# Bytes on disk


def test_the_rendered_text(folder: Folder) -> None:
    folder.template(
        'variable "b" {\n  type = map(number)\n}\n'
        'variable "a" {\n  type = list(string)\n  default = ["x"]\n}\n'
        'variable "n" {\n  default = null\n}\nvariable "e" {\n  default = env("HOME")\n}\n'
    )
    folder.write("environments/dev/a.pkrvars.hcl", 'b = { z = "1", k = 2 }\n')
    (file,) = folder.render()["files"]
    lines = Path(file["path"]).read_text(encoding="utf-8").splitlines()
    assert lines.pop(3).startswith("# inputs: sha256:")
    assert lines == [
        "# Rendered by packer-hybrid. Change the files named below, not this one.",
        "# target: linux/null/demo",
        "# environment: dev",
        "# a: templates/linux/null/demo/build.pkr.hcl",
        "# b: environments/dev/a.pkrvars.hcl",
        "",
        'a = ["x"]',
        "b = {",
        "  k = 2",
        "  z = 1",
        "}",
    ]


def test_an_unchanged_file_is_not_touched_and_a_changed_one_is_replaced(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    first = folder.render()["files"][0]
    path = Path(first["path"])
    assert first["changed"] is True
    os.utime(path, ns=(1, 1))
    before = path.stat()
    again = folder.render()["files"][0]
    assert again["changed"] is False
    assert again["sha256"] == first["sha256"]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, 1)
    path.chmod(0o640)
    folder.write("environments/dev/a.pkrvars.hcl", 'x = "new"\n')
    assert folder.render()["files"][0]["changed"] is True
    assert path.stat().st_ino != before.st_ino
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_without_write_the_result_is_the_same_and_nothing_is_written(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = ""\n}\n')
    planned = folder.render(write=False)
    assert not (folder.root / "configs").exists()
    assert folder.render() == planned


def test_a_comment_in_an_overlay_does_not_change_the_file(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n}\n')
    folder.write("environments/common/a.pkrvars.hcl", 'x = "0"\n')
    folder.write("environments/dev/a.pkrvars.hcl", 'x = "1"\n')
    folder.render()
    folder.write("environments/dev/a.pkrvars.hcl", '# why\nx = "1"\n')
    folder.write("environments/common/a.pkrvars.hcl", 'x = "2"\n')
    assert folder.render()["files"][0]["changed"] is False


def test_a_failed_write_leaves_every_file_as_it_was(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    folder.template('variable "x" {\n  default = "1"\n}\n', "windows/null/demo")
    folder.write("configs/dev/windows", "a file where a folder must be")
    with pytest.raises(ConfigError, match="cannot be written"):
        folder.render(TARGET, "windows/null/demo")
    assert [path for path in (folder.root / "configs").rglob("*") if path.is_file()] == [
        folder.root / "configs/dev/windows"
    ]


def test_a_link_in_place_of_the_file_is_replaced_not_followed(folder: Folder, tmp_path: Path) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    victim = tmp_path / "victim"
    victim.write_text("keep")
    path = folder.root / f"configs/dev/{TARGET}.pkrvars.hcl"
    path.parent.mkdir(parents=True)
    path.symlink_to(victim)
    folder.render()
    assert victim.read_text() == "keep"
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o022 == 0
    path.rename(tmp_path / "same")
    path.symlink_to(tmp_path / "same")
    assert folder.render()["files"][0]["changed"] is True, "a link to the same bytes is no rendered file"


@pytest.mark.parametrize("kind", ["pipe", "circle"])
def test_what_is_no_plain_file_in_place_of_the_file_is_replaced(folder: Folder, kind: str) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    path = folder.root / f"configs/dev/{TARGET}.pkrvars.hcl"
    path.parent.mkdir(parents=True)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(path)
    assert folder.values() == {"x": "1"}
    assert path.is_file()


def test_configs_in_a_circle_are_an_error(folder: Folder) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    (folder.root / "configs").symlink_to("configs")
    with pytest.raises(ConfigError, match=r"configs/dev/.*cannot be written"):
        folder.render()


def test_a_full_disk_leaves_nothing_behind(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.template('variable "x" {\n  default = "1"\n}\n')
    folder.template('variable "x" {\n  default = "1"\n}\n', "linux/null/other")
    folder.render(TARGET)
    folder.write("environments/dev/a.pkrvars.hcl", 'x = "2"\n')

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        folder.render(TARGET, "linux/null/other")
    (left,) = [path for path in (folder.root / "configs").rglob("*") if path.is_file()]
    assert 'x = "1"' in left.read_text()


def test_threads_that_render_the_same_target_do_not_tear_the_file(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n}\n')
    path = Path(folder.render(vars={"x": "start"})["files"][0]["path"])

    def render_often(text: str) -> list[str]:
        read = []
        for _ in range(25):
            folder.render(vars={"x": text})
            read.append(path.read_text())
        return read

    texts = [letter * 50_000 for letter in "abcdefgh"]
    with ThreadPoolExecutor(len(texts)) as pool:
        found = {each for result in pool.map(render_often, texts) for each in result}
    assert {hcl.loads(each).attributes["x"].value for each in found} <= set(texts)
    assert os.listdir(path.parent) == [path.name]


class Tagged(str):
    """A text as Ansible hands it over: of a class of its own."""

    __slots__ = ()


def test_values_of_other_classes_become_plain(folder: Folder) -> None:
    inputs = read_inputs(
        {"env": Tagged("dev"), "targets": [Tagged(TARGET)], "vars": {Tagged("x"): [Tagged("y")]}},
        folder.folder.open(),
    )
    (name, value), target = *inputs.vars.items(), *inputs.targets
    assert {type(inputs.env), type(target), type(name), type(value[0])} == {str}


def test_a_value_that_only_a_placeholder_uses_is_no_warning(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n}\n')
    folder.write("environments/dev/a.pkrvars.hcl.tmpl", 'x = "${site}-${name}-${env}"\n')
    assert folder.values(vars={"site": "berlin"}) == {"x": "berlin-demo-dev"}
    assert folder.render(vars={"site": "berlin"})["warnings"] == []


def test_the_name_of_a_file_cannot_end_the_comment(folder: Folder) -> None:
    folder.template('variable "x" {\n  type = string\n}\n')
    folder.write('environments/dev/a\ny = "evil"\n#.pkrvars.hcl', 'x = "1"\n')
    assert folder.values() == {"x": "1"}


def test_the_same_bytes_whatever_the_hash_seed_locale_and_order_of_files(folder: Folder) -> None:
    names = [f"v{number}" for number in range(30)]
    folder.template("".join(f'variable "{name}" {{\n  type = any\n}}\n' for name in names))
    texts = {name: f'{name} = {{ b = "ä", a = [1, {{ z = 1, y = 2 }}] }}\n' for name in names}
    code = (
        "import json, sys; from hybridcore.config import generate_env_config;"
        "from hybridcore.workspace import open_workspace;"
        "w = open_workspace(sys.argv[1]);"
        "r = generate_env_config({'env': 'dev', 'targets': None}, workspace=w, write=False);"
        "print(json.dumps(r))"
    )
    seen = set()
    for seed, order in (("0", names), ("1", names[::-1]), ("2", sorted(names))):
        for name in names:
            (folder.root / f"environments/dev/{name}.pkrvars.hcl").unlink(missing_ok=True)
        for name in order:
            folder.write(f"environments/dev/{name}.pkrvars.hcl", texts[name])
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder.root)],
            env={"PYTHONHASHSEED": seed, "LC_ALL": ["C", "C.UTF-8", "POSIX"][int(seed)]},
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_all_targets_when_none_are_named(folder: Folder) -> None:
    folder.template("")
    folder.template("", "linux/null/other")
    result = generate_env_config({"env": "dev"}, workspace=folder.folder.open())
    assert [file["target"] for file in result["files"]] == ["linux/null/demo", "linux/null/other"]
    assert generate_env_config({"env": "dev", "targets": []}, workspace=folder.folder.open())["files"] == []
