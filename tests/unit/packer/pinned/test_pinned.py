"""Installing pinned plugins: what is done, and what is left as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore.errors import SourcesError
from hybridcore.packer import pinned
from tests.support.plugins import SOURCE, digest, file_name, install, program
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

HELP = "Available commands are:\n    build           build\n    init            install\n"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker) -> WorkspaceFolder:
    fake_packer.answer("--help", stdout=HELP)
    made = make_workspace()
    made.settings(f'[plugins."{SOURCE}"]\nversion = "1.2.3"\nfrom = "vendor"\n')
    made.write(f"vendor/{file_name()}", program().decode())
    return made


def test_a_sync_of_nothing_does_nothing(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    assert pinned.sync(workspace=space.open()) == []
    assert not (space.root / ".packer-plugins").exists()


def test_what_a_killed_sync_left_goes_and_what_it_put_there_half_is_done_again(
    space: WorkspaceFolder,
) -> None:
    space.write(".packer-plugins/.new/left", "")
    half = install(space.root / ".packer-plugins", b"half")
    half.with_name(f"{half.name}_SHA256SUM").unlink()
    (result,) = pinned.sync(workspace=space.open())
    assert (result.action, half.read_bytes()) == ("installed", program())
    assert not (space.root / ".packer-plugins/.new").exists()


def test_a_folder_that_leads_elsewhere_is_refused(space: WorkspaceFolder) -> None:
    (space.root / "away").mkdir()
    (space.root / ".packer-plugins").symlink_to(space.root / "away")
    with pytest.raises(SourcesError, match="is no folder of its own"):
        pinned.sync(workspace=space.open())
    assert list((space.root / "away").iterdir()) == []


def test_faults_name_the_line_of_the_settings(space: WorkspaceFolder) -> None:
    text = f'\n\n[plugins."{SOURCE}"]\nversion = "1.2.3"\n'
    space.write("packer-hybrid.toml", text)
    with pytest.raises(SourcesError) as caught:
        pinned.sync(workspace=space.open())
    (fault,) = caught.value.faults
    assert (fault.line, "its settings have no from" in fault.message) == (3, True)


def test_only_what_is_installed_and_right_is_locked(space: WorkspaceFolder) -> None:
    with pytest.raises(SourcesError, match="1 of 1 plugins cannot be locked"):
        pinned.lock(workspace=space.open())
    path = install(space.root / ".packer-plugins", program())
    (result,) = pinned.lock(workspace=space.open())
    assert (result.sha256, result.changed) == (digest(program()), True)
    path.write_bytes(program(more="changed"))
    with pytest.raises(SourcesError, match="_SHA256SUM says"):
        pinned.lock(workspace=space.open())


def test_a_name_that_is_none(space: WorkspaceFolder) -> None:
    with pytest.raises(SourcesError, match=r"there is no plugin 'example\.org/lab/pluto'"):
        pinned.verify(["example.org/lab/pluto"], workspace=space.open())
