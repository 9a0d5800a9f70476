"""A transaction changes what is there, keeps a copy of what was, or does nothing."""

import pytest

from hybridcore import state
from hybridcore.errors import LockError, StateError
from hybridcore.state import store
from tests.support.files import written_as
from tests.support.states import change, names, stored


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


def test_the_warning_about_a_lost_place_comes_once_a_process(workspace, full, monkeypatch, caplog):
    monkeypatch.setattr(store, "durability_warning", lambda _workspace: "mount a volume")
    monkeypatch.setattr(store, "_warned", set())
    state.write(full, workspace=workspace)
    state.write(full, workspace=workspace)
    assert [record.getMessage() for record in caplog.records] == ["mount a volume"]


def test_a_lock_that_is_held_is_waited_for_with_one_warning_and_not_for_ever(workspace, caplog):
    with state.transaction(workspace=workspace, command="a build"):
        waiting = state.transaction(workspace=workspace, timeout=1.5)
        with pytest.raises(LockError, match="a build"):
            waiting.__enter__()
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("hybridcore.state", "WARNING")
    assert "a build" in record.getMessage()


def test_a_damaged_state_leaves_the_lock_free(workspace):
    workspace.state_dir.mkdir()
    workspace.state_file.write_text("damaged")
    for _ in range(2):
        with pytest.raises(StateError) as caught:
            state.transaction(workspace=workspace, timeout=0).__enter__()
        # A LockError is a StateError, and this test's name, and so "damaged", is part of the path.
        assert not isinstance(caught.value, LockError)
        assert "damaged" in caught.value.message
