import copy
import json
import os
import stat

import pytest

from hybridcore import atomic, state
from hybridcore.errors import StateError
from hybridcore.state import durable, store
from hybridcore.workspace import Workspace
from tests.support.files import written_as


def stored(workspace):
    data = state.read(workspace=workspace)
    assert data.pop("updated_at")
    return data


def names(workspace):
    return sorted(path.name for path in workspace.state_dir.iterdir())


def test_a_workspace_without_state_reads_as_empty(workspace):
    assert state.read(workspace=workspace) == state.empty()
    assert not workspace.state_dir.exists()


def test_what_is_written_is_read(workspace, full):
    state.write(full, workspace=workspace)
    del full["updated_at"]
    assert stored(workspace) == full


def test_the_workspace_is_found_from_the_current_folder(workspace, full, monkeypatch):
    monkeypatch.chdir(workspace.root)
    state.write(full)
    with state.transaction() as data:
        data["plugins"]["x"] = "1"
    assert state.read()["plugins"]["x"] == "1"
    assert workspace.state_file.exists()


def test_a_transaction_changes_what_is_there(workspace, full, add_image):
    state.write(full, workspace=workspace)
    with state.transaction(workspace=workspace) as data:
        add_image(data, "a", status="built")
    with state.transaction(workspace=workspace) as data:
        add_image(data, "b", status="built")
        data["images"]["dev/linux/null/a"]["status"] = "failed"
    add_image(full, "a", status="failed")
    add_image(full, "b", status="built")
    del full["updated_at"]
    assert stored(workspace) == full


def test_an_exception_in_a_transaction_writes_nothing(workspace, full, add_image):
    state.write(full, workspace=workspace)
    before = workspace.state_file.read_bytes()

    def cancelled():
        with state.transaction(workspace=workspace) as data:
            add_image(data, "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cancelled()
    assert workspace.state_file.read_bytes() == before
    with state.transaction(workspace=workspace, timeout=0):
        pass  # the lock is free


def test_a_transaction_that_changes_nothing_writes_nothing(workspace, full):
    with state.transaction(workspace=workspace):
        pass
    assert not workspace.state_file.exists()
    state.write(full, workspace=workspace)
    before = written_as(workspace.state_file)
    with state.transaction(workspace=workspace) as data:
        data["images"] = dict(data["images"])
        assert data["plugins"]
    assert written_as(workspace.state_file) == before


def test_a_state_that_does_not_fit_is_not_written_and_all_faults_are_told(workspace, full):
    state.write(full, workspace=workspace)
    before = workspace.state_file.read_bytes()
    full["plugins"]["x"] = 3
    full["novelty"] = 1
    for attempt in (
        lambda: state.write(full, workspace=workspace),
        lambda: change(workspace, full),
    ):
        with pytest.raises(StateError) as caught:
            attempt()
        assert [fault.message for fault in caught.value.faults] == [
            "plugins['x'] must be a string, not 3",
            "unknown field 'novelty'",
        ]
        assert caught.value.file == str(workspace.state_file)
    assert workspace.state_file.read_bytes() == before
    assert names(workspace) == ["packer-hybrid.json", "packer-hybrid.lock"]


def change(workspace, data):
    with state.transaction(workspace=workspace) as current:
        current.update(data)


def test_write_leaves_what_it_was_given_alone(workspace, full):
    full["history"] = [{"id": f"r{number}"} for number in range(9)]
    given = copy.deepcopy(full)
    state.write(full, workspace=workspace)
    assert full == given
    assert [run["id"] for run in state.read(workspace=workspace)["history"]] == ["r4", "r5", "r6", "r7", "r8"]


def test_the_copy_is_the_state_before(workspace, full, add_image):
    copy_file = workspace.state_dir / "packer-hybrid.json.bak"
    state.write(full, workspace=workspace)
    assert not copy_file.exists()
    for name in "abc":
        before = workspace.state_file.read_bytes()
        with state.transaction(workspace=workspace) as data:
            add_image(data, name)
        assert copy_file.read_bytes() == before
        assert copy_file.stat().st_ino != workspace.state_file.stat().st_ino


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


def test_a_linked_state_folder_works(workspace, full, tmp_path):
    (tmp_path / "volume").mkdir()
    workspace.state_dir.symlink_to(tmp_path / "volume")
    state.write(full, workspace=workspace)
    assert (tmp_path / "volume" / "packer-hybrid.json").is_file()


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


def test_state_is_one_whole_json_file_for_other_programs(workspace, full):
    state.write(full, workspace=workspace)
    assert json.loads(workspace.state_file.read_text())["plugins"] == full["plugins"]


def test_the_warning_about_a_lost_place_comes_once_a_process(workspace, full, monkeypatch, caplog):
    monkeypatch.setattr(store, "durability_warning", lambda _workspace: "mount a volume")
    monkeypatch.setattr(store, "_warned", set())
    state.write(full, workspace=workspace)
    state.write(full, workspace=workspace)
    assert [record.getMessage() for record in caplog.records] == ["mount a volume"]
