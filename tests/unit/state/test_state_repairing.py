import os

import pytest

from hybridcore import state
from hybridcore.errors import StateError
from tests.support.files import written_as


@pytest.fixture
def built(workspace, add_image):
    """Three images, a write each: the copy knows two of them."""
    for name in "abc":
        with state.transaction(workspace=workspace) as data:
            add_image(data, name, built_at=state.timestamp())
            data["images"]["dev/linux/null/a"]["run"] = f"r-{name}"
    return workspace


def test_a_sound_state_is_left_alone(built):
    before = written_as(built.state_file)
    report = state.repair(workspace=built)
    assert (report.problem, report.kept, report.lost) == ("", None, ())
    assert written_as(built.state_file) == before


def test_nothing_to_repair_before_the_first_write(workspace):
    assert state.repair(workspace=workspace).problem == ""
    assert not workspace.state_file.exists()


def test_the_damaged_file_is_kept_and_the_copy_restored(built):
    copy = (built.state_dir / "packer-hybrid.json.bak").read_bytes()
    damaged = built.state_file.read_bytes()[:-10]
    built.state_file.write_bytes(damaged)
    report = state.repair(workspace=built)
    assert report.kept.read_bytes() == damaged
    assert report.kept.parent == built.state_dir
    assert built.state_file.read_bytes() == copy
    assert "not JSON" in report.problem
    assert sorted(state.read(workspace=built)["images"]) == ["dev/linux/null/a", "dev/linux/null/b"]
    assert report.restored == state.read(workspace=built)["updated_at"]


def test_what_is_lost_is_named(built):
    built_at = state.read(workspace=built)["images"]["dev/linux/null/c"]["built_at"]
    built.state_file.write_bytes(built.state_file.read_bytes()[:-5])
    report = state.repair(workspace=built)
    older = state.read(workspace=built)["images"]["dev/linux/null/a"]["built_at"]
    assert report.lost == (
        f"what was recorded after {report.restored}",
        f"image dev/linux/null/a, built at {older}: an older entry is known",
        f"image dev/linux/null/c, built at {built_at}: not known any more",
    )


def test_the_next_write_after_a_repair_works_and_keeps_a_copy(built, add_image):
    built.state_file.write_bytes(b"x")
    state.repair(workspace=built)
    repaired = built.state_file.read_bytes()
    with state.transaction(workspace=built) as data:
        add_image(data, "d")
    assert (built.state_dir / "packer-hybrid.json.bak").read_bytes() == repaired


def test_a_state_that_is_gone_comes_back(built):
    copy = (built.state_dir / "packer-hybrid.json.bak").read_bytes()
    built.state_file.unlink()
    report = state.repair(workspace=built)
    assert (report.problem, report.kept) == ("the state is gone", None)
    assert built.state_file.read_bytes() == copy


def test_a_folder_in_the_way_is_kept(built):
    built.state_file.unlink()
    built.state_file.mkdir()
    (built.state_file / "file").write_text("x")
    report = state.repair(workspace=built)
    assert (report.kept / "file").read_text() == "x"
    assert "dev/linux/null/b" in state.read(workspace=built)["images"]


def test_a_huge_file_is_kept_without_reading_it(built):
    os.truncate(built.state_file, 500_000_000)
    report = state.repair(workspace=built)
    assert report.kept.stat().st_size == 500_000_000
    assert "dev/linux/null/b" in state.read(workspace=built)["images"]


@pytest.mark.parametrize("copy", [None, b"also damaged"])
def test_without_a_good_copy_the_state_begins_anew_and_says_so(built, copy):
    copy_file = built.state_dir / "packer-hybrid.json.bak"
    copy_file.unlink()
    if copy is not None:
        copy_file.write_bytes(copy)
    built.state_file.write_bytes(b"x")
    report = state.repair(workspace=built)
    assert report.restored == ""
    assert report.lost[0].startswith("everything that was recorded: ")
    assert report.kept.read_bytes() == b"x"
    data = state.read(workspace=built)
    assert data["images"] == {}
    if copy is not None:
        assert copy_file.read_bytes() == copy


def test_hostile_content_is_no_fault_of_ours(built):
    built.state_file.write_bytes(b'\n"images": {\n"dev/x": {"built_at": ["\x1b"]},\n"..": {},\n"y": {bad}\n}')
    report = state.repair(workspace=built)
    assert all(isinstance(line, str) for line in report.lost)


def test_a_copy_of_a_newer_version_is_not_used(built):
    copy_file = built.state_dir / "packer-hybrid.json.bak"
    copy_file.write_text(copy_file.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    built.state_file.write_bytes(b"x")
    with pytest.raises(StateError, match="schema version 9"):
        state.repair(workspace=built)
    assert built.state_file.read_bytes() == b"x"
