"""Files that are replaced whole: permissions, copies, leftovers, and every call that may fail."""

import os
import stat
from pathlib import Path

import pytest

from hybridcore import atomic, state
from hybridcore.errors import StateError
from hybridcore.state import durable
from hybridcore.workspace import Workspace
from tests.support.states import change, names, stored


def test_the_copy_is_a_real_one_where_there_are_no_hard_links(workspace, full, add_image, monkeypatch):
    def no_link(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    state.write(full, workspace=workspace)
    before = workspace.state_file.read_bytes()
    with state.transaction(workspace=workspace) as data:
        add_image(data, "a")
    assert (workspace.state_dir / "packer-hybrid.json.bak").read_bytes() == before
    assert names(workspace) == ["packer-hybrid.json", "packer-hybrid.json.bak", "packer-hybrid.lock"]


def test_a_copy_that_already_is_the_state_does_no_harm(workspace, full, add_image):
    # What a writer leaves that was killed between making the copy and the rename.
    state.write(full, workspace=workspace)
    os.link(workspace.state_file, workspace.state_dir / "packer-hybrid.json.bak")
    before = workspace.state_file.read_bytes()
    with state.transaction(workspace=workspace) as data:
        add_image(data, "a")
    assert (workspace.state_dir / "packer-hybrid.json.bak").read_bytes() == before
    assert names(workspace) == ["packer-hybrid.json", "packer-hybrid.json.bak", "packer-hybrid.lock"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_are_kept(workspace, full, mode):
    state.write(full, workspace=workspace)
    workspace.state_file.chmod(mode)
    full["plugins"]["x"] = "1"
    state.write(full, workspace=workspace)
    assert stat.S_IMODE(workspace.state_file.stat().st_mode) == mode


def test_a_first_state_has_the_permissions_of_any_new_file(workspace, full):
    before = os.umask(0o027)
    try:
        state.write(full, workspace=workspace)
    finally:
        os.umask(before)
    assert stat.S_IMODE(workspace.state_file.stat().st_mode) == 0o640


def test_leftovers_of_dead_writers_go_and_nothing_else_does(workspace, full):
    workspace.state_dir.mkdir()
    for name in ("packer-hybrid.json.17-ab.tmp", "packer-hybrid.json.bak.tmp", "other.tmp", "notes"):
        (workspace.state_dir / name).write_text("x")
    state.write(full, workspace=workspace)
    assert names(workspace) == ["notes", "other.tmp", "packer-hybrid.json", "packer-hybrid.lock"]


def test_a_missing_workspace_is_an_error_with_its_path(tmp_path, full):
    gone = Workspace(tmp_path / "gone")
    with pytest.raises(StateError, match=r"gone/state: cannot make the folder .*workspace is gone"):
        state.write(full, workspace=gone)


def test_a_symbolic_link_is_refused_and_its_target_untouched(workspace, full):
    workspace.state_dir.mkdir()
    target = workspace.root / "elsewhere.json"
    state.write(full, workspace=workspace)
    workspace.state_file.rename(target)
    workspace.state_file.symlink_to(target)
    before = target.read_bytes()
    for attempt in (
        lambda: state.read(workspace=workspace),
        lambda: state.write(full, workspace=workspace),
        lambda: change(workspace, full),
        lambda: state.repair(workspace=workspace),
    ):
        with pytest.raises(StateError, match="symbolic link"):
            attempt()
    assert workspace.state_file.is_symlink()
    assert target.read_bytes() == before


def test_a_state_that_could_not_be_read_again_is_not_written(workspace, full, monkeypatch):
    monkeypatch.setattr(durable, "MAX_BYTES", 1000)
    with pytest.raises(StateError, match="at most 1,000 can be read again"):
        state.write(full, workspace=workspace)
    assert names(workspace) == ["packer-hybrid.lock"]


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "link", "fchmod"])
def test_an_error_of_any_call_leaves_the_old_state(workspace, full, monkeypatch, call):
    state.write(full, workspace=workspace)
    before = workspace.state_file.read_bytes()
    full["plugins"]["x"] = "1"

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StateError, match="No space left on device") as caught:
        state.write(full, workspace=workspace)
    monkeypatch.undo()
    assert "free some space" in caught.value.hint
    assert workspace.state_file.read_bytes() == before
    assert not [name for name in names(workspace) if name.endswith(".tmp")]


def test_a_folder_that_cannot_be_synced_is_told_as_what_it_is(workspace, full, monkeypatch):
    def fail(_folder):
        raise OSError(5, "Input/output error")

    state.write(full, workspace=workspace)
    monkeypatch.setattr(atomic, "sync_folder", fail)
    full["plugins"]["x"] = "1"
    with pytest.raises(StateError, match="was written, but would not outlive a power cut"):
        state.write(full, workspace=workspace)
    assert stored(workspace)["plugins"]["x"] == "1"


def test_a_file_is_read_whole_or_is_not_there(tmp_path):
    file = tmp_path / "file"
    assert durable.read_file(file) is None
    for content in (b"", b"x", b"\0\xff" * 100_000):
        file.write_bytes(content)
        assert durable.read_file(file) == content


def test_a_file_whose_size_is_not_known_before_is_read_whole():
    # The kernel says 0 bytes.
    assert durable.read_file(Path("/proc/self/status")).startswith(b"Name:")


def test_a_file_below_another_is_not_readable_and_says_so(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError, match="cannot read it: Not a directory") as caught:
        durable.read_file(tmp_path / "file" / "below")
    assert caught.value.file == str(tmp_path / "file" / "below")


@pytest.mark.parametrize("keep_copy", [True, False])
def test_a_copy_is_kept_only_where_it_is_asked_for(tmp_path, keep_copy):
    file = tmp_path / "file"
    durable.replace(file, [b"o", b"ne"], keep_copy=keep_copy)
    durable.replace(file, [memoryview(b"two")], keep_copy=keep_copy)
    assert file.read_bytes() == b"two"
    copy_file = tmp_path / "file.bak"
    assert (copy_file.read_bytes() if copy_file.exists() else None) == (b"one" if keep_copy else None)
    assert len(list(tmp_path.iterdir())) == 1 + keep_copy


def test_the_folder_is_made_once_and_not_the_ones_above_it(tmp_path):
    for _ in range(2):
        durable.make_folder(tmp_path / "state")
    assert (tmp_path / "state").is_dir()
    with pytest.raises(StateError, match="cannot make the folder of the state"):
        durable.make_folder(tmp_path / "none" / "state")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError, match="Not a directory"):
        durable.make_folder(tmp_path / "file" / "state")
