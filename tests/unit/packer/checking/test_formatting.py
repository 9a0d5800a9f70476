"""Formatting: which files are found, and that Packer's answer is written back to the right ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore.errors import PackerError, WorkspaceError
from hybridcore.packer.checking.formatting import find_files, fmt
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

# Packer formats a folder: here every `a=1` becomes `a = 1`.
FORMATS = """
import pathlib
for path in pathlib.Path(arguments[-1]).iterdir():
    path.write_text(path.read_text().replace("a=1", "a = 1"))
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for name in (
        "templates/linux/null/x/b.pkr.hcl",
        "environments/dev/all.pkrvars.hcl",
        "environments/dev/.hidden/x.pkrvars.hcl",
        "images/dev/x.pkr.hcl",
        "sources/other/x.pkr.hcl",
        "notes.txt",
    ):
        made.write(name, "a=1\n")
    return made


def test_files_of_others_and_of_runs_are_not_searched(space: WorkspaceFolder) -> None:
    where = space.open()
    found = [where.relative(path) for path in find_files([space.root], where)]
    assert found == ["environments/dev/all.pkrvars.hcl", "templates/linux/null/x/b.pkr.hcl"]
    named = find_files([space.root / "sources/other/x.pkr.hcl"], where)
    assert [where.relative(path) for path in named] == ["sources/other/x.pkr.hcl"]


def test_everything_that_cannot_be_formatted_is_told_together(space: WorkspaceFolder) -> None:
    with pytest.raises(WorkspaceError) as caught:
        find_files(["gone", "notes.txt", "/etc/hostname"], space.open())
    assert sorted(fault.message for fault in caught.value.faults) == [
        "is not a Packer file",
        "lies outside of the workspace",
        "there is no such file or folder",
    ]


@pytest.mark.parametrize("check", [True, False])
def test_one_packer_for_all_files_and_each_is_replaced_by_its_own(
    space: WorkspaceFolder, fake_packer: FakePacker, check: bool
) -> None:
    fake_packer.answer("--help", stdout="Available commands are:\n    fmt             Rewrites\n")
    fake_packer.answer("fmt", code=FORMATS)
    (space.root / "templates/linux/null/x/b.pkr.hcl").chmod(0o640)
    space.write("environments/dev/other.pkrvars.hcl", "a = 1\n")
    result = fmt([space.root], check=check, workspace=space.open())
    assert result.changed_files == ("environments/dev/all.pkrvars.hcl", "templates/linux/null/x/b.pkr.hcl")
    assert "-a=1\n+a = 1\n" in result.diff
    assert len(fake_packer.calls_of("fmt")) == 1
    file = space.root / "templates/linux/null/x/b.pkr.hcl"
    assert file.read_text() == ("a=1\n" if check else "a = 1\n")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_packer_that_fails_without_naming_a_file_is_an_error(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    fake_packer.answer("fmt", stderr="out of memory\n", exit_code=1)
    with pytest.raises(PackerError, match="packer fmt failed: out of memory"):
        fmt([space.root], workspace=space.open())
    assert (space.root / "environments/dev/all.pkrvars.hcl").read_text() == "a=1\n"


def test_nothing_to_format_asks_nobody(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    space.write("empty/readme.txt", "")
    assert fmt([space.root / "empty"], workspace=space.open()).changed is False
    assert fake_packer.calls == []
