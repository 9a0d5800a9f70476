"""What can be wrong with a declared image: one clear fault each, with file and line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.builds import hybrid
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

GOOD = '[images."linux/null/good"]\ntemplate = "good"\n\n'  # the table that is wrong begins in line 4
NULL = 'source "null" "{0}" {{\n  communicator = "none"\n}}\nbuild {{\n  sources = ["source.null.{0}"]\n}}\n'


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.write("good/x.pkr.hcl", NULL.format("good"))
    made.write("two/x.pkr.hcl", NULL.format("a") + NULL.format("b"))
    made.write("sources/there/x.pkr.hcl", NULL.format("a"))
    made.write("old/x.json", '{"builders": [{"type": "null"}]}')
    made.write("one/a.pkrvars.hcl", "")
    made.write("other/a.pkrvars.hcl", "")
    made.write("broken/x.pkr.hcl", NULL.format("a") + "locals {\n  x = = 1\n}\n")
    made.write("gone/x.pkr.hcl", 'build {\n  sources = ["source.null.x"]\n}\n')
    return made


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            '[images."linux/null/x"]\ntemplate = "two"\nonly = "null.c"\n',
            "packer-hybrid.toml:4: linux/null/x: only = 'null.c' matches no build (exactly one must match; "
            "there are: null.a, null.b)",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "two"\nonly = "null.*"\n',
            "packer-hybrid.toml:4: linux/null/x: only = 'null.*' matches null.a, null.b (exactly one",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "two"\n',
            "packer-hybrid.toml:4: linux/null/x: the template has 2 builds, and exactly one is the image",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "sources/vanished"\n',
            "packer-hybrid.toml:4: linux/null/x: template = 'sources/vanished': it is not there",
        ),
        (
            '[images."linux/null/{name}"]\ntemplate = "good"\neach = "none/*.pkrvars.hcl"\n',
            'packer-hybrid.toml:4: [images."linux/null/{name}"]: no file of values is named by each = \'n',
        ),
        (
            '[images."linux/null/{name}"]\ntemplate = "good"\neach = ["one/*", "other/*"]\n',
            "packer-hybrid.toml:4: linux/null/a is declared twice: by one/a.pkrvars.hcl and other/a",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "../elsewhere"\n',
            'packer-hybrid.toml:4: [images."linux/null/x"] template must lie in the workspace',
        ),
        (
            '[images."linux/null/x"]\ntemplate = "leads/out"\n',
            "packer-hybrid.toml:4: linux/null/x: template = 'leads/out': it leads out of the workspace",
        ),
        (
            '[images."linux/null/x y"]\ntemplate = "good"\n',
            'packer-hybrid.toml:4: [images."linux/null/x y"] does not name a target',
        ),
        (
            '[images."linux/qemu/x"]\ntemplate = "good"\n',
            "packer-hybrid.toml:4: linux/qemu/x: a source of type 'null' does not belong to the platform",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "old"\n',
            "packer-hybrid.toml:4: linux/null/x: old holds no *.pkr.hcl or *.pkr.json file (the older JSON "
            "is not read; convert it: packer hcl2_upgrade -with-annotations x.json)",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "old/x.json"\n',
            "packer-hybrid.toml:4: linux/null/x: old/x.json: Packer takes it for a template in the older",
        ),
        ('[images."linux/null/x"]\ntemplate = "broken"\n', "broken/x.pkr.hcl:8: column 7: expected a value"),
        (
            '[images."linux/null/x"]\ntemplate = "gone"\n',
            "gone/x.pkr.hcl:2: the build names the source 'null.x', which is not there",
        ),
        (
            '[images."linux/null/x"]\ntemplate = "good"\nmax_age = "soon"\n',
            'packer-hybrid.toml:4: [images."linux/null/x"] max_age must be an age such as 7d or 12h',
        ),
    ],
)
def test_it_is_told_with_file_and_line(space: WorkspaceFolder, table: str, says: str) -> None:
    (space.root / "leads").mkdir()
    (space.root / "leads/out").symlink_to(space.root.parent)
    space.settings(GOOD + table)
    done = hybrid(space, "validate", "--env", "dev")
    assert done.returncode == 1
    assert says in done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(says.partition(": ")[0] + ": ") == 1, "it is said once"
    assert "Traceback" not in done.stderr


def test_the_fault_of_one_hides_neither_those_of_others_nor_what_is_good(
    space: WorkspaceFolder, tools: Tools
) -> None:
    space.write("wrong/x.pkr.hcl", NULL.format("x").replace('"none"', '"none"\n  bogus = 1'))
    space.write("need/x.pkr.hcl", 'variable "v" {}\n' + NULL.format("x"))
    tables = [("x", "broken"), ("y", "gone"), ("w", "wrong"), ("n", "need")]
    space.settings(
        GOOD + "".join(f'[images."linux/null/{name}"]\ntemplate = "{place}"\n' for name, place in tables),
        packer=tools.packer,
    )
    done = hybrid(space, "validate", "--env", "dev")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "INVALID: linux/null/good" not in said
    assert "valid: linux/null/good" in said
    for text in (
        "broken/x.pkr.hcl:8: ",
        "gone/x.pkr.hcl:2: ",
        "wrong/x.pkr.hcl:3: Unsupported",
        "Unset variable",
    ):
        assert said.count(text) == 1, text


def test_a_plugin_that_is_missing_is_told(space: WorkspaceFolder, tools: Tools) -> None:
    space.write(
        "good/plugin.pkr.hcl",
        'packer {\n  required_plugins {\n    x = {\n      source  = "github.com/example/x"\n'
        '      version = ">= 1.0.0"\n    }\n  }\n}\n',
    )
    space.settings(GOOD, packer=tools.packer)
    done = hybrid(space, "validate", "--env", "dev")
    assert done.returncode == 1
    assert "github.com/example/x >= 1.0.0" in done.stdout


def test_hcl_that_packer_reads_and_we_do_not_is_told_with_its_place(
    space: WorkspaceFolder, tools: Tools
) -> None:
    # Deeper than we follow; Packer takes it.
    deep = "[" * 250 + "]" * 250
    space.write("good/deep.pkr.hcl", f"locals {{\n  x = {deep}\n}}\n")
    space.settings(GOOD, packer=tools.packer)
    done = hybrid(space, "validate", "--env", "dev")
    assert done.returncode == 1
    assert "good/deep.pkr.hcl:2: column" in done.stdout + done.stderr
    assert "nested more than 200 levels deep" in done.stdout + done.stderr
