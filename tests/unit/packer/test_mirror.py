"""The folder that Packer gets: a mirror in which relative paths hold, and an old Packer's view of plugins."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from hybridcore import templates
from hybridcore.packer.mirror import Mirror, make_mirror, plugin_requirements
from hybridcore.packer.planning.rendered import Rendered
from tests.support.workspaces import WorkspaceFolder

A, B = "linux/null/a", "linux/null/b"
HOME = f"templates/{A}"
OUT = 'variable "out" {\n default = env("OUT")\n}\n'
LARGE = (1 << 20) + 1  # bytes; such a file is a link
PLUGINS = """\
packer {
  required_version = ">= 1.6"
  required_plugins {
    qemu = {
      version = "= 1.0.9"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

variable "after" {}
"""


def attribute(text: str) -> str:
    """An attribute somewhere in a template."""
    return f'build {{\n provisioner "x" {{\n {text}\n}}\n}}\n'


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for target in (A, B):
        made.null(target)
    made.write(f"{HOME}/files/data.txt", "data")
    made.write("templates/ansible/site.yml", "[]")
    made.write("templates/linux/common.sh", "common")
    made.write("sources/demo/x", "source")
    made.write(".hidden", "hidden")
    made.write(f"{HOME}/.config/rc", "hidden")
    return made


@pytest.fixture
def mirror(space: WorkspaceFolder, tmp_path: Path) -> Callable[..., Mirror]:
    """Make a mirror for A: `mirror("build { ... }")` has more in the template, `text` is its values."""

    def make(
        more: str = "",
        *,
        text: str = "",
        name: str = "run",
        environ: Mapping[str, str] = MappingProxyType({}),
        with_plugins: bool = True,
    ) -> Mirror:
        space.write(f"{HOME}/more.pkr.hcl", more)
        here = space.open()
        template = templates.load(A, here)
        return make_mirror(
            template, Rendered(text), tmp_path / name, here, environ=environ, with_plugins=with_plugins
        )

    return make


def test_relative_paths_mean_what_they_mean_in_the_workspace(
    space: WorkspaceFolder, tmp_path: Path, mirror: Callable[..., Mirror]
) -> None:
    folder = mirror().cwd
    assert folder == tmp_path / "run" / "templates" / A
    for path in (
        "build.pkr.hcl",
        "files/data.txt",
        ".config/rc",
        "../b/build.pkr.hcl",
        "../../common.sh",
        "../../../ansible/site.yml",
        "../../../../sources/demo/x",
        "../../../../packer-hybrid.toml",
        "../../../../.hidden",
    ):
        assert (folder / path).read_text() == (space.root / HOME / path).read_text(), path


def test_what_packer_writes_stays_in_the_mirror(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    before = mirror(name="before")
    there = {path: path.read_bytes() if path.is_file() else b"" for path in space.root.rglob("*")}
    folder = mirror().cwd
    (folder / "output").mkdir()
    (folder / "output" / "disk").write_text("x")
    (folder / "packer-manifest.json").write_text("{}")
    (folder / "build.pkr.hcl").write_text("over")
    (folder / "../../common.sh").write_text("over")
    assert {path: path.read_bytes() if path.is_file() else b"" for path in space.root.rglob("*")} == there
    assert before.made() == []


def test_it_is_for_its_owner_only(tmp_path: Path, mirror: Callable[..., Mirror]) -> None:
    folder = mirror().cwd
    while folder != tmp_path:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not folder.is_symlink()
        folder = folder.parent


def test_only_the_way_to_the_template_is_real(space: WorkspaceFolder, mirror: Callable[..., Mirror]) -> None:
    """A workspace may hold a great many files."""
    made = mirror()
    assert sorted(made.folders) == ["", "templates", "templates/linux", "templates/linux/null", HOME]
    for name in ("sources", "templates/ansible", f"templates/{B}", f"{HOME}/files", f"{HOME}/.config"):
        assert os.readlink(made.root / name) == str(space.root / name)


def test_small_files_are_copies_with_their_permissions_and_times_and_large_ones_links(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    script = space.write(f"{HOME}/run.sh", "#!/bin/sh\n")
    script.chmod(0o755)
    os.utime(script, ns=(1, 2_000_000_001))
    space.write(f"{HOME}/empty", "")
    space.write(f"{HOME}/large", "x" * LARGE)
    (space.root / HOME / "linked").symlink_to("../../common.sh")
    (space.root / HOME / "nowhere").symlink_to("nothing")
    (space.root / HOME / "round").symlink_to("round")
    os.mkfifo(space.root / HOME / "pipe")
    cwd = mirror().cwd
    for name, text in (("run.sh", "#!/bin/sh\n"), ("empty", ""), ("linked", "common")):
        assert not (cwd / name).is_symlink(), name
        assert (cwd / name).read_text() == text
    status = (cwd / "run.sh").stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o755, 2_000_000_001)
    for name in ("large", "nowhere", "round", "pipe"):
        assert os.readlink(cwd / name) == str(space.root / HOME / name)


def test_what_a_build_made_and_changed_is_known(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    space.write(f"{HOME}/old.txt", "old")
    made = mirror(PLUGINS, with_plugins=False)
    assert made.made() == []
    (made.cwd / "output").mkdir()
    (made.cwd / "output/disk").write_text("x")
    (made.cwd / "old.txt").write_text("new!")
    (made.cwd / "link").symlink_to("old.txt")
    (made.root / "top").write_text("x")
    (made.cwd / "build.pkr.hcl").unlink()
    (made.cwd / "files/in-the-workspace").write_text("x")
    assert made.made() == [f"{HOME}/old.txt", f"{HOME}/output/disk", "top"]


def test_an_old_packer_gets_no_plugin_requirements(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    old = mirror(PLUGINS, name="old", with_plugins=False).cwd / "more.pkr.hcl"
    text = old.read_text()
    assert "required_plugins" not in text
    assert "qemu" not in text
    assert "required_version" in text
    lines = PLUGINS.splitlines()
    assert text.splitlines().index('variable "after" {}') == lines.index('variable "after" {}')
    assert (space.root / HOME / "more.pkr.hcl").read_text() == PLUGINS
    assert (mirror(PLUGINS, name="new").cwd / "more.pkr.hcl").read_text() == PLUGINS


def test_files_without_plugin_requirements_are_left_as_they_are(space: WorkspaceFolder) -> None:
    assert plugin_requirements(templates.load(A, space.open())) == {}


def test_a_manifest_that_somebody_left_is_no_part_of_a_build(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    post = 'build {\n  post-processor "manifest" {\n    output = "out/made.json"\n  }\n}\n'
    space.write(f"{HOME}/out/made.json", "{}")
    space.write(f"{HOME}/out/other.json", "{}")
    folder = mirror(post).cwd
    assert os.listdir(folder / "out") == ["other.json"]
    (folder / "out/made.json").write_text("ours")
    assert (space.root / HOME / "out/made.json").read_text() == "{}"


@pytest.mark.parametrize(
    "more",
    [
        attribute('floppy_files = ["floppy"]'),
        attribute('floppy_dirs = ["./floppy/"]'),
        attribute('floppy_files = [build.later, "${path.root}/flop*"]'),
        attribute('cd_files = ["${path.cwd}/${var.folder}"]'),
        attribute('http_directory = "floppy"'),
        attribute("floppy_files = local.folders") + 'locals {\n folders = ["${path.root}/floppy"]\n}\n',
        'build {\n provisioner "file" {\n source = "floppy"\n}\n}',
    ],
)
def test_a_folder_that_packer_walks_through_is_real_with_all_below(
    space: WorkspaceFolder, mirror: Callable[..., Mirror], more: str
) -> None:
    """It does not follow a link: "read floppy: is a directory"."""
    for name in ("answers.xml", "drivers/net/.hidden", "drivers/net/x.sys"):
        space.write(f"{HOME}/floppy/{name}", name)
    (space.root / HOME / "floppy/back").symlink_to("..")
    cwd = mirror(more, text='folder = "floppy"\n').cwd
    for folder in ("floppy", "floppy/drivers", "floppy/drivers/net"):
        assert not (cwd / folder).is_symlink()
        assert (cwd / folder).is_dir()
    for name in ("answers.xml", "drivers/net/.hidden", "drivers/net/x.sys"):
        assert (cwd / "floppy" / name).read_text() == name
    assert os.readlink(cwd / "floppy/back") == str(space.root / HOME / "floppy/back")
    assert (cwd / "files").is_symlink()


def test_a_folder_elsewhere_that_packer_walks_through_is_real_and_its_neighbours_are_links(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    space.write("common/windows/floppy/a", "a")
    space.write("common/linux/b", "b")
    made = mirror(attribute('floppy_files = ["${path.root}/../../../../common/windows"]'))
    assert {"common", "common/windows", "common/windows/floppy"} <= set(made.folders)
    assert (made.root / "common/linux").is_symlink()


@pytest.mark.parametrize(
    "named", ["../../../..", "../../../../images", "../../../../state/x", "/etc", "gone"]
)
def test_the_workspace_what_runs_write_and_what_is_elsewhere_stay_as_they_are(
    space: WorkspaceFolder, mirror: Callable[..., Mirror], named: str
) -> None:
    for folder in ("images", "state/x"):
        space.write(f"{folder}/a", "a")
    made = mirror(attribute(f'floppy_files = ["{named}"]'))
    assert sorted(made.folders) == ["", "templates", "templates/linux", "templates/linux/null", HOME]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        (attribute('target = "output/image.txt"'), "output/image.txt"),
        ('build {\n post-processor "x" {\n output = "output/new/image.txt"\n}\n}', "output/new.txt"),
        ('build {\n post-processor "x" {\n output = "output/{{.BuildName}}/x.box"\n}\n}', "output/x.box"),
        ('build {\n post-processor "artifice" {\n files = ["output/*.raw"]\n}\n}', "output/disk.raw"),
        ('build {\n provisioner "file" {\n destination = "output/got"\n}\n}', "output/got"),
        ('build {\n provisioner "ansible" {\n inventory_directory = "output"\n}\n}', "output/hosts"),
    ],
)
@pytest.mark.parametrize("link", [False, True])
def test_a_folder_that_a_build_writes_into_is_real(
    space: WorkspaceFolder,
    tmp_path: Path,
    mirror: Callable[..., Mirror],
    more: str,
    path: str,
    link: bool,
) -> None:
    there = tmp_path / "elsewhere" if link else space.root / HOME / "output"
    there.mkdir()
    (there / ".gitkeep").write_text("")
    if link:
        (space.root / HOME / "output").symlink_to(there)
    cwd = mirror(more).cwd
    (cwd / path).write_text("made")
    assert os.listdir(there) == [".gitkeep"]
    assert (cwd / "output/.gitkeep").is_file()


def test_a_large_file_that_a_build_writes_over_is_a_copy(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    space.write(f"{HOME}/disk.raw", "x" * LARGE)
    made = mirror('build {\n post-processor "artifice" {\n files = ["disk.raw"]\n}\n}')
    assert not (made.cwd / "disk.raw").is_symlink()
    assert (made.cwd / "disk.raw").stat().st_size == LARGE
    assert made.made() == []


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (attribute('output_directory = "${var.folder}"'), "built"),
        (attribute("output_directory = var.out") + OUT, "from-env"),
        ("", "output-a"),
    ],
)
def test_what_a_builder_makes_anew_is_not_there(
    space: WorkspaceFolder, mirror: Callable[..., Mirror], more: str, name: str
) -> None:
    """Somebody ran Packer by hand; a builder refuses a folder that is there."""
    space.write(f"{HOME}/{name}/disk", "by hand")
    environ = {"OUT": "from-env"}
    more += f'build {{\n post-processor "manifest" {{\n output = "{name}/m.json"\n}}\n}}'
    assert not os.path.lexists(mirror(more, text='folder = "built"\n', environ=environ).cwd / name)


def test_a_builder_that_makes_the_folder_of_the_template_does_not_lose_it(
    mirror: Callable[..., Mirror],
) -> None:
    cwd = mirror(attribute('output_directory = "."')).cwd
    assert (cwd / "build.pkr.hcl").is_file()


def test_other_targets_are_there_where_they_are_named(
    space: WorkspaceFolder, mirror: Callable[..., Mirror]
) -> None:
    space.null("linux/null/unrelated")
    space.null("linux/null/neighbour")
    space.write("templates/linux/null/shared/run.sh", "")
    made = mirror(attribute('script = "../neighbour/run.sh"'))
    level = made.root / "templates/linux/null"
    assert sorted(os.listdir(level)) == ["a", "b", "neighbour", "shared"]
    made = mirror(text='message = "../unrelated"\n', name="again")
    assert "unrelated" in os.listdir(made.root / "templates/linux/null")
