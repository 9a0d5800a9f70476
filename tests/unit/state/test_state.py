"""The state as a whole: what is written is read again, wherever it lies."""

import copy
import json

from hybridcore import state
from tests.support.states import stored


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


def test_write_leaves_what_it_was_given_alone(workspace, full):
    full["history"] = [{"id": f"r{number}"} for number in range(9)]
    given = copy.deepcopy(full)
    state.write(full, workspace=workspace)
    assert full == given
    assert [run["id"] for run in state.read(workspace=workspace)["history"]] == ["r4", "r5", "r6", "r7", "r8"]


def test_a_linked_state_folder_works(workspace, full, tmp_path):
    (tmp_path / "volume").mkdir()
    workspace.state_dir.symlink_to(tmp_path / "volume")
    state.write(full, workspace=workspace)
    assert (tmp_path / "volume" / "packer-hybrid.json").is_file()


def test_state_is_one_whole_json_file_for_other_programs(workspace, full):
    state.write(full, workspace=workspace)
    assert json.loads(workspace.state_file.read_text())["plugins"] == full["plugins"]
