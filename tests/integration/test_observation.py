"""What a build reads and nothing names: it is seen while the build runs, and counts from then on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridcore.packer.building import observation
from hybridcore.packer.building.inotify import Inotify
from hybridcore.packer.results import BuildResult, Status
from tests.support.builds import build, hybrid, state_of, statuses
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

A, B = "linux/null/a", "linux/null/b"
# Nothing can follow what a shell makes of this.
ROOT = "$PWD/$(echo ..)/../../.."


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.write("files/motd", "hello")
    (made.root / "images").mkdir()
    return made


def image(space: WorkspaceFolder, target: str = A) -> dict[str, Any]:
    found: dict[str, Any] = state_of(space)["images"][f"dev/{target}"]
    return found


def built(space: WorkspaceFolder, **options: Any) -> BuildResult:
    (result,) = build(space, **options).results
    assert result.status is Status.BUILT, result.errors
    return result


def reads(*names: str) -> tuple[str, ...]:
    return (f"it reads {', '.join(names)}, which nothing names: inputs from now on",)


def test_what_is_read_counts_from_then_on_and_is_named_once(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    space.null(A, inline=(f"cat {ROOT}/files/*",))
    first = built(space)
    assert first.warnings == reads("files/motd")
    assert image(space)["observed"] == ["files/motd"]
    assert image(space)["fingerprint"] == first.fingerprint != image(space)["given_fingerprint"]
    assert statuses(build(space)) == {A: "unchanged"}
    space.write("files/motd", "changed")
    assert build(space, check=True).results[0].reasons == ("files/motd changed",)
    second = built(space)
    assert (second.reasons, second.warnings) == (("files/motd changed",), ())
    assert "given_fingerprint" not in image(space)
    assert statuses(build(space)) == {A: "unchanged"}
    space.write("files/more", "")
    (space.root / "files/motd").unlink()
    third = built(space)
    assert (third.reasons, third.warnings) == (("files/motd removed",), reads("files/more"))
    assert image(space)["observed"] == ["files/more"]


def test_each_way_to_read_is_seen(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    space.write("templates/linux/common.sh", "exit 0\n").chmod(0o755)
    space.write("files/empty", "")
    space.write("files/deep/er/x", "x")
    space.write("files/run", "#!/bin/sh\nexit 0\n").chmod(0o755)
    space.write("large", "x" * (1 << 21))
    (space.root / "files/link").symlink_to("../notes")
    space.write("notes", "x")
    space.write("never", "x")
    lines = ("../../common.sh", "cat ", "cat ", f"{ROOT}/files/run", "cat ", "cat ")
    paths = ("", f"{ROOT}/files/empty", f"{ROOT}/files/deep/er/x", "", f"{ROOT}/large", f"{ROOT}/files/link")
    space.null(A, inline=tuple(f"{line}{path} >/dev/null" for line, path in zip(lines, paths, strict=True)))
    built(space)
    assert image(space)["observed"] == [
        "files/deep/er/x",
        "files/empty",
        "files/run",
        "large",
        "notes",
        "templates/linux/common.sh",
    ]
    assert statuses(build(space)) == {A: "unchanged"}


def test_what_runs_write_what_is_hidden_and_templates_never_count(space: WorkspaceFolder) -> None:
    names = (".git/HEAD", "images/x", "state/x", "logs/x", "configs/x", "files/.gitignore", "venv/lib/x.py")
    for name in (*names, "files/__pycache__/x.pyc", f"templates/{A}/b.pkr.hcl"):
        space.write(name, "\n")
    space.write("venv/pyvenv.cfg", "")
    space.null(A, inline=(f"cat {ROOT}/.git/* {' '.join(f'{ROOT}/{name}' for name in names)} *.pkr.hcl",))
    assert built(space).warnings == ()
    assert "observed" not in image(space)


def test_what_is_read_no_more_does_not_count_any_more(space: WorkspaceFolder) -> None:
    space.write("files/switch", "")
    space.null(
        A, inline=(f"test -s {ROOT}/files/switch || cat {ROOT}/files/motd", f"cat {ROOT}/files/switch")
    )
    built(space)
    assert image(space)["observed"] == ["files/motd", "files/switch"]
    space.write("files/switch", "on")
    built(space)
    assert image(space)["observed"] == ["files/switch"]


def test_of_builds_at_once_each_has_its_own(space: WorkspaceFolder) -> None:
    """In a mirror it is certain who reads; else a file counts for all, unless one is known to read it."""
    space.write("templates/linux/common.sh", "exit 0\n")
    space.write("known/x", "x")
    here = space.root / "images"
    space.null(
        A,
        inline=(
            f"touch {here}/a; until test -e {here}/b; do sleep 0.02; done",
            f"cat ../../common.sh {ROOT}/known/x {ROOT}/files/motd; touch {here}/done",
        ),
    )
    file = space.root / "templates" / A / "build.pkr.hcl"
    named = 'environment_vars = ["X=${path.root}/../../../../known/x"]'
    file.write_text(file.read_text().replace("    inline", f"    {named}\n    inline"))
    wait = f"touch {here}/b; until test -e {here}/done; do sleep 0.02; done"
    space.null(B, inline=(wait,))
    assert set(statuses(build(space, parallel_builds=2)).values()) == {"built"}
    assert image(space, A)["observed"] == ["files/motd", "templates/linux/common.sh"]
    assert image(space, B)["observed"] == ["files/motd"]
    assert "known/x" in image(space, A)["inputs"]
    assert set(statuses(build(space)).values()) == {"unchanged"}


def test_what_we_read_ourselves_is_nobodys(space: WorkspaceFolder) -> None:
    """One target waits until the other was started, whose files were copied and looked at meanwhile."""
    here = space.root / "images"
    space.write("known/x", "x")
    space.null(A, inline=(f"until test -e {here}/b; do sleep 0.02; done",))
    space.null(B, inline=(f"touch {here}/b",))
    file = space.root / "templates" / B / "build.pkr.hcl"
    named = 'environment_vars = ["X=${file("${path.root}/../../../../known/x")}"]'
    file.write_text(file.read_text().replace("    inline", f"    {named}\n    inline"))
    space.write(f"templates/{B}/data", "x")
    report = build(space, parallel_builds=2)
    assert statuses(report) == {A: "built", B: "built"}
    assert [one.warnings for one in report.results] == [(), ()]


def test_what_a_build_writes_in_the_workspace_is_told_and_no_input(space: WorkspaceFolder) -> None:
    space.null(A, inline=(f"date >> {ROOT}/files/log", f"cat {ROOT}/files/log"))
    result = built(space)
    assert result.warnings == ("files/log changed in the workspace while it was built: no inputs",)
    assert "observed" not in image(space)
    assert statuses(build(space)) == {A: "unchanged"}


def test_a_file_that_changes_while_a_build_reads_it_is_not_trusted(space: WorkspaceFolder) -> None:
    there = space.write("templates/linux/common.sh", "exit 0\n")
    space.null(A, inline=(f"cat ../../common.sh; echo >> {there}",))
    result = built(space)
    assert result.fingerprint == ""
    assert result.warnings[-1].startswith(
        "inputs changed after the build was planned: templates/linux/common.sh changed; "
    )


def test_where_the_kernel_takes_no_note_it_is_said_and_what_is_known_stays(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.null(A, inline=(f"cat {ROOT}/files/motd",))
    built(space)

    def none(self: Inotify) -> None:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(Inotify, "__init__", none)
    said = "what it reads is not all known: the kernel takes no note of it: Function not implemented"
    assert built(space, force=True).warnings == (said,)
    assert image(space)["observed"] == ["files/motd"]


def test_more_than_the_kernel_notes_is_a_warning(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played, since the queue holds 16,384."""
    space.null(A, inline=(f"cat {ROOT}/files/motd",))
    read = Inotify.read
    monkeypatch.setattr(Inotify, "read", lambda self: [*read(self), (-1, "")])
    (lost,) = (text for text in built(space).warnings if "not all known" in text)
    assert lost.startswith("what it reads is not all known: more was opened than the kernel takes note of")


def test_a_search_through_the_workspace_is_no_build(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observation, "_MOST", 3)
    for number in range(5):
        space.write(f"many/{number}", "x")
    space.null(A, inline=(f"cat {ROOT}/many/*",))
    (said,) = built(space).warnings
    assert said.startswith("what it reads is not all known: more than ")
    assert "observed" not in image(space)


def explained(space: WorkspaceFolder, *arguments: str) -> dict[str, dict[str, Any]]:
    """What `packer-hybrid explain` says of A, by input."""
    done = hybrid(space, "--json", "explain", "--env", "dev", A, *arguments)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)["targets"]
    assert entry["target"] == A
    return {one.pop("name"): one for one in entry["inputs"]}


def test_explain_tells_where_each_input_comes_from(space: WorkspaceFolder) -> None:
    space.write("named/x", "x")
    space.null(A, inline=(f"cat {ROOT}/files/motd",))
    file = space.root / "templates" / A / "build.pkr.hcl"
    named = 'environment_vars = ["X=${path.root}/../../../../named/x"]'
    file.write_text(file.read_text().replace("    inline", f"    {named}\n    inline"))
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if named in text)
    before = explained(space)
    result = built(space)
    after = explained(space)
    assert before == {name: one for name, one in after.items() if name != "files/motd"}
    assert {name: one["origin"] for name, one in after.items()} == {
        "configuration": "the rendered values",
        "files/motd": f"was read in run {image(space)['run']}",
        "named/x": f"named in templates/{A}/build.pkr.hcl:{line}: environment_vars",
        "packer": "the Packer that builds",
        f"templates/{A}": "the template's folder",
    }
    assert {name: one["digest"] for name, one in after.items()} == image(space)["inputs"]
    assert [name for name, one in after.items() if one["observed"]] == ["files/motd"]
    shown = hybrid(space, "explain", "--env", "dev", A).stdout.splitlines()
    assert shown[0] == f"{A}: fingerprint {result.fingerprint[:12]}"
    (row,) = (text for text in shown if text.startswith("files/motd "))
    assert row.split(maxsplit=2)[2] == f"observed: was read in run {image(space)['run']}"


def test_an_input_that_was_seen_can_be_forgotten(space: WorkspaceFolder) -> None:
    space.null(A, inline=(f"cat {ROOT}/files/motd",))
    built(space)
    given = image(space)["given_fingerprint"]
    assert "files/motd" not in explained(space, "--forget", "files/motd")
    assert image(space)["fingerprint"] == given
    assert statuses(build(space)) == {A: "unchanged"}
    space.write("files/motd", "changed")
    assert statuses(build(space)) == {A: "unchanged"}
    wrong = hybrid(space, "explain", "--env", "dev", A, "--forget", "files/motd")
    assert wrong.returncode == 1
    assert f"no build of dev/{A} was seen to read files/motd" in wrong.stderr
    wrong = hybrid(space, "explain", "--env", "dev", "--forget", "files/motd")
    assert (wrong.returncode, "--forget needs a target" in wrong.stderr) == (1, True)
    assert built(space, force=True).warnings == reads("files/motd")


TWO = """\
locals {
  mine   = file("${path.root}/mine.txt")
  theirs = file("${path.root}/theirs.txt")
}

source "null" "mine" {
  communicator = "none"
}

source "null" "theirs" {
  communicator = "none"
}

build {
  name    = "one"
  sources = ["source.null.mine"]

  provisioner "shell-local" {
    inline = ["echo ${local.mine}", "cat \\"$PWD\\"/$(echo seen).txt"]
  }
}

build {
  name    = "two"
  sources = ["source.null.theirs"]

  provisioner "shell-local" {
    inline = ["echo ${local.theirs}"]
  }
}
"""


def test_what_another_part_of_the_template_reads_never_counts(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    """Packer evaluates every local, whatever is selected."""
    settings = (
        f'[packer]\npath = "{any_packer}"\n\n[images."{A}"]\ntemplate = "packer"\nonly = "one.null.mine"\n'
    )
    space.write("packer-hybrid.toml", settings)
    space.write("packer/two.pkr.hcl", TWO)
    for name in ("mine", "theirs", "seen"):
        space.write(f"packer/{name}.txt", name)
    result = built(space)
    assert result.warnings == reads("packer/seen.txt")
    assert "packer/mine.txt" in image(space)["inputs"]
    for name, status in (("theirs", "unchanged"), ("seen", "built"), ("mine", "built")):
        space.write(f"packer/{name}.txt", "changed")
        assert statuses(build(space)) == {A: status}, name
