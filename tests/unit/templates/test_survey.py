"""What is found in a repository; what is proposed for it is in test_adopting.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.templates.survey import Known, Survey, known_images, shown, survey
from tests.support.workspaces import WorkspaceFolder

SOURCE = 'source "null" "{0}" {{}}\n'
BUILD = SOURCE + 'build {{\n  sources = ["source.null.{0}"]\n}}\n'


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def look(space: WorkspaceFolder, folder: str = "") -> Survey:
    return survey(space.root / folder, space.open())


def test_folders_of_ours_and_hidden_ones_are_passed_over(space: WorkspaceFolder) -> None:
    for folder in ("configs", "environments/dev", "logs", "sources/x", "state", ".git", "a/.b"):
        space.write(f"{folder}/x.pkr.hcl", BUILD.format("x"))
        space.write(f"{folder}/x.pkrvars.hcl", "a = 1\n")
    space.write("a/state/x.pkr.hcl", BUILD.format("x"))  # ours are at the root alone
    found = look(space)
    assert [one.place for one in found.templates] == ["a/state"]
    assert found.values == ()
    assert found.paths == {"a", "a/state", "a/state/x.pkr.hcl", "packer-hybrid.toml", "templates"}
    assert (found.faults, found.name) == ((), "workspace")


def test_only_what_is_below_the_folder_counts(space: WorkspaceFolder) -> None:
    space.write("a/x.pkr.hcl", BUILD.format("x"))
    space.write("b/x.pkr.hcl", BUILD.format("x"))
    assert [one.place for one in look(space, "b").templates] == ["b"]


def test_a_folder_is_one_template_with_what_its_own_files_set(space: WorkspaceFolder) -> None:
    space.write("t/a.pkr.hcl", 'variable "v" {}\nvariable "w" {}\n' + SOURCE.format("x"))
    space.write("t/b.pkr.hcl", 'build {\n  sources = ["null.x"]\n}\n')
    space.write("t/a.auto.pkrvars.hcl", "v = 1\n")
    space.write("t/b.auto.pkrvars.json", '{"w": 1}')
    (one,) = look(space).templates
    assert (one.place, one.folder) == ("t", "t")
    assert [build.name for build in one.builds] == ["null.x"]
    assert set(one.variables) == {"v", "w"}
    assert one.given == {"v", "w"}


def test_files_that_declare_the_same_are_templates_of_their_own(space: WorkspaceFolder) -> None:
    space.write("t/a.pkr.hcl", "locals {\n  x = 1\n}\n" + BUILD.format("a"))
    space.write("t/b.pkr.hcl", 'local "x" {\n  expression = 1\n}\n' + BUILD.format("b"))
    space.write("t/c.pkr.hcl", SOURCE.format("c"))
    space.write("t/d.pkr.hcl", BUILD.format("d") + SOURCE.format("d"))
    space.write("t/e.pkr.hcl", "locals {\n  y = 1\n}\n")
    found = look(space)
    assert [(one.place, one.folder) for one in found.templates] == [
        ("t/a.pkr.hcl", "t"),
        ("t/b.pkr.hcl", "t"),
    ]
    assert [str(fault) for fault in found.faults] == [
        "t/c.pkr.hcl: the folder's files declare the same names, and this one alone has no build block "
        "(give each image a folder of its own)",
        "t/d.pkr.hcl: declares something twice, as Packer will say",
    ]


def test_files_of_values_and_those_to_copy(space: WorkspaceFolder) -> None:
    space.write("b.pkrvars.json", '{"x": 1, "y": 2}')
    space.write("a.pkrvars.hcl", "z = 1\n")
    space.write("c.auto.pkrvars.hcl", "z = 1\n")
    space.write("d.pkrvars.hcl.example", "")
    space.write("e.pkrvars.json.dist", "")
    found = look(space)
    assert [(one.path, one.names) for one in found.values] == [
        ("a.pkrvars.hcl", {"z"}),
        ("b.pkrvars.json", {"x", "y"}),
    ]
    assert found.examples == ("d.pkrvars.hcl.example", "e.pkrvars.json.dist")


@pytest.mark.parametrize("text", ["[1", "5", "null", "[[]]", "[" * 100_000])
def test_values_in_json_that_are_no_object(space: WorkspaceFolder, text: str) -> None:
    space.write("a.pkrvars.json", text)
    found = look(space)
    assert found.values == ()
    assert [str(fault) for fault in found.faults] == ["a.pkrvars.json: is not an object of JSON"]


def test_names_that_cannot_be_shown(space: WorkspaceFolder) -> None:
    space.write("a\nb.pkrvars.hcl", "")
    space.write("c\x1b[31m.txt", "")
    found = look(space)
    assert [str(fault) for fault in found.faults] == [
        "'a\\nb.pkrvars.hcl': the name holds characters that cannot be shown"
    ]
    assert not [path for path in found.paths if not path.isprintable()]


def test_a_broken_file_takes_its_folder_out_and_no_other(space: WorkspaceFolder) -> None:
    space.write("a/x.pkr.hcl", BUILD.format("x"))
    space.write("a/y.pkr.hcl", "x = = 1\n")
    space.write("b/x.pkr.hcl", BUILD.format("x"))
    found = look(space)
    assert [one.place for one in found.templates] == ["b"]
    assert [(fault.file, fault.line) for fault in found.faults] == [("a/y.pkr.hcl", 1)]


def test_files_without_source_and_build_are_no_template_and_no_fault(space: WorkspaceFolder) -> None:
    space.write("shared/variables.pkr.hcl", 'variable "x" {}\n')
    assert (look(space).templates, look(space).faults) == ((), ())


def test_images_that_are_targets_already(space: WorkspaceFolder) -> None:
    space.null("linux/null/demo")
    space.null("linux/null/keys")
    space.write("templates/linux/null/broken/x.pkr.hcl", SOURCE.format("other"))
    space.write("t/x.pkr.hcl", BUILD.format("x"))
    space.write("v.pkrvars.hcl", "")
    space.settings(
        '[images."linux/null/one"]\ntemplate = "t"\nvar_files = ["v.pkrvars.hcl"]\n'
        '[images."linux/null/keys"]\nmax_age = "7d"\n'
        '[images."linux/null/gone"]\ntemplate = "gone"\n'
    )
    found, vanished = known_images(look(space), space.open())
    assert sorted(found, key=lambda one: one.target) == [
        Known("linux/null/demo", "templates/linux/null/demo", "null.demo"),
        Known("linux/null/keys", "templates/linux/null/keys", "null.keys"),
        Known("linux/null/one", "t", "null.x", frozenset({"v.pkrvars.hcl"})),
    ]
    assert ["'gone': it is not there" in str(fault) for fault in vanished] == [True]


def test_what_is_said_of_a_folder_without_templates(tmp_path: Path) -> None:
    assert shown(tmp_path) == "nothing"
    (tmp_path / "packer-hybrid.toml").touch()
    assert shown(tmp_path) == "nothing"
    for letter in "hgfedcba":
        (tmp_path / letter).touch()
    assert shown(tmp_path) == "a, b, c, d, e, f, g, h"
    (tmp_path / "i").touch()
    assert shown(tmp_path) == "a, b, c, d, e, f, g, h and more"
