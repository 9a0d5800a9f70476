import os
import re

import pytest

from hybridcore import state
from hybridcore.errors import StateError
from hybridcore.state import schema
from hybridcore.state.damage import NewerStateError
from tests.support.files import written_as


def refused(workspace, match):
    """Nothing reads or overwrites what is there; the error says where and what, and what to do."""
    before = written_as(workspace.state_file)
    for attempt in (
        lambda: state.read(workspace=workspace),
        lambda: state.write(state.empty(), workspace=workspace),
        lambda: state.transaction(workspace=workspace).__enter__(),
    ):
        with pytest.raises(StateError, match=match) as caught:
            attempt()
        assert caught.value.file == str(workspace.state_file)
    assert written_as(workspace.state_file) == before
    return caught.value


@pytest.fixture
def written(workspace, full):
    state.write(full, workspace=workspace)
    return workspace


def test_cut_at_any_byte(written):
    content = written.state_file.read_bytes()
    for size in range(len(content) - 1):
        written.state_file.write_bytes(content[:size])
        with pytest.raises(StateError, match="damaged"):
            state.read(workspace=written)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "it is empty"),
        (b"\0" * 4096, "it is empty"),
        (b"hello", "1: the state is damaged: not JSON: Expecting value at column 1"),
        (b'{\n"a": 1,\n"b" 2}', "json:3: the state is damaged: not JSON"),
        (b'{\n"a": "\xff"}', "json:2: the state is damaged: byte 8 is not UTF-8"),
        (b"[]", "must hold an object"),
        (b"{}", "schema_version is None"),
        (b'{"schema_version": "1"}', "schema_version is '1'"),
        (b'{"schema_version": true}', "schema_version is True"),
        (b'{"schema_version": 0}', "schema_version is 0"),
        (b'{"schema_version": 1}', "does not fit the schema"),
        (b'{"schema_version": NaN}', "NaN is no number"),
        (b"[" * 200_000, "damaged"),
        (b'{"a": ' * 200_000, "damaged"),
        (b'{"schema_version": ' + b"1" * 100_000 + b"}", "damaged|newer"),
    ],
)
def test_other_content(written, content, match):
    written.state_file.write_bytes(content)
    error = refused(written, match)
    assert "repair" in error.hint
    assert len(str(error)) < 2000


def test_wrong_types_are_named_one_by_one(written):
    content = written.state_file.read_text()
    content = content.replace('"size": 5', '"size": "5"').replace('"1.9.4"', "194")
    written.state_file.write_text(content)
    error = refused(written, "does not fit the schema")
    assert [re.sub(r".*\.(\w+ must)", r"\1", fault.message) for fault in error.faults] == [
        "size must be a whole number, not negative, not '5'",
        "version must be a string, not 194",
    ]


def test_a_newer_version_is_not_called_damaged(written):
    content = written.state_file.read_text().replace('"schema_version": 2', '"schema_version": 3')
    written.state_file.write_text(content)
    error = refused(written, "schema version 3, and this release knows versions up to 2")
    assert "newer release" in error.hint
    assert "damaged" not in str(error)
    with pytest.raises(NewerStateError, match="schema version 3"):
        state.repair(workspace=written)
    assert written.state_file.read_text() == content


def test_a_newer_version_is_known_also_in_a_form_that_is_not(written):
    content = b'{\n"schema_version": 3,\n"images": <a form of later times>\n}\n'
    written.state_file.write_bytes(content)
    refused(written, "the state is of schema version 3")
    with pytest.raises(NewerStateError):
        state.repair(workspace=written)
    assert written.state_file.read_bytes() == content


def test_a_whole_state_with_fields_of_later_times_is_newer_and_not_damaged(written, monkeypatch):
    later = {**schema.SECTIONS, "packer": schema.Record({}, {"colour": lambda value: ""})}
    with monkeypatch.context() as patch:
        patch.setattr(schema, "SECTIONS", later)
        with state.transaction(workspace=written) as data:
            data["packer"] = {"colour": "red"}
    content = written.state_file.read_bytes()
    with pytest.raises(NewerStateError, match="newer release: packer has an unknown field 'colour'"):
        state.read(workspace=written)
    with pytest.raises(NewerStateError):
        state.repair(workspace=written)
    assert written.state_file.read_bytes() == content


def test_a_folder(written):
    written.state_file.unlink()
    written.state_file.mkdir()
    refused(written, "it is a folder")


def test_a_named_pipe_does_not_hang(written):
    written.state_file.unlink()
    os.mkfifo(written.state_file)
    refused(written, "not a plain file")


def test_500_megabytes_are_refused_without_reading_them(written):
    os.truncate(written.state_file, 500_000_000)
    refused(written, "500,000,000 bytes, at most 67,108,864 are read")


def test_a_state_that_is_gone_while_its_copy_is_there(written):
    state.write(state.empty(), workspace=written)
    written.state_file.unlink()
    with pytest.raises(StateError, match="gone, but its last good copy is there"):
        state.read(workspace=written)
    with pytest.raises(StateError, match="to begin anew remove the copy too"):
        state.write(state.empty(), workspace=written)
    (written.state_dir / "packer-hybrid.json.bak").unlink()
    assert state.read(workspace=written) == state.empty()
