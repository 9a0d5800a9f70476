"""Loggers of a workspace: what reaches its log, masked, and what is said of a command."""

import json
import logging
import re

import pytest

from hybridcore import logs
from hybridcore.errors import Cancelled, ConfigError, WorkspaceError
from hybridcore.process.mask import Masker


def messages(lines, workspace):
    """Level, component and message of each record, its times left out."""
    return [re.sub(r"\d+\.\d s", "N s", line.partition("] ")[2]) for line in lines(workspace)]


def test_a_logger_writes_to_the_shared_log(workspace, lines):
    logs.get_logger("packer", workspace=workspace).info("hello %s", "world")
    logs.get_logger("sources", workspace=workspace).warning("careful", extra={"command": "sources sync"})
    first, second = lines(workspace)
    assert first.endswith("] INFO packer: hello world")
    assert second.endswith("] WARNING sources: [sources sync] careful")


def test_the_workspace_is_found_from_the_current_folder(workspace, lines, monkeypatch):
    monkeypatch.chdir(workspace.root)
    logs.get_logger("packer").info("hello")
    assert lines(workspace)[0].endswith("INFO packer: hello")


def test_outside_of_a_workspace_there_is_no_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceError):
        logs.get_logger("packer")


def test_the_same_name_gives_the_same_logger_and_each_line_once(workspace, lines):
    logger = logs.get_logger("packer", workspace=workspace)
    assert logs.get_logger("packer", workspace=workspace) is logger
    logger.info("once")
    assert len(lines(workspace)) == 1


def test_two_workspaces_of_one_process_have_a_log_each(workspace, lines, tmp_path):
    other = type(workspace)(tmp_path / "other")
    logs.get_logger("packer", workspace=workspace).info("here")
    logs.get_logger("packer", workspace=other).info("there")
    assert [line[-4:] for line in lines(workspace)] == ["here"]
    assert [line[-5:] for line in lines(other)] == ["there"]


def test_json_lines_by_setting(with_settings, lines):
    workspace = with_settings(logs_format="json")
    logs.get_logger("packer", workspace=workspace).info("a\nb", extra={"command": "build x"})
    (line,) = lines(workspace)
    entry = json.loads(line)
    assert (entry["level"], entry["component"], entry["command"]) == ("INFO", "packer", "build x")
    assert entry["message"] == "a\nb"


def test_details_for_developers_are_left_out(workspace):
    logs.get_logger("packer", workspace=workspace).debug("detail")
    assert not (workspace.logs / logs.LOG_NAME).exists()


def test_a_program_that_embeds_the_core_hears_the_records(workspace, caplog):
    logs.get_logger("packer", workspace=workspace).info("hello")
    assert caplog.record_tuples == [("hybridcore.packer", logging.INFO, "hello")]


def test_secrets_are_masked_in_every_part_of_a_record(workspace, lines, caplog):
    mask = Masker(["hunter2-secret"]).text
    logger = logs.get_logger("packer", workspace=workspace, mask=mask)
    logger.info("password is %s", "hunter2-secret", extra={"command": "build hunter2-secret"})
    try:
        raise ValueError("wrong: hunter2-secret")
    except ValueError:
        logger.exception("failed with hunter2-secret")
    logger.warning("where", stack_info=True)
    written = (workspace.logs / logs.LOG_NAME).read_text()
    assert "hunter2-secret" not in written
    assert "hunter2-secret" not in caplog.text
    assert "password is" in written
    assert "ValueError: wrong: " in written
    assert len(lines(workspace)) == 3


def test_a_masking_logger_leaves_the_others_alone(workspace, lines):
    logs.get_logger("packer", workspace=workspace, mask=lambda text: "masked")
    logs.get_logger("packer", workspace=workspace).info("plain")
    assert lines(workspace)[0].endswith("plain")


def test_a_log_that_cannot_be_written_is_told_once_and_stops_nothing(workspace, capsys):
    workspace.logs.write_text("a file where the folder should be")
    logger = logs.get_logger("packer", workspace=workspace)
    logger.info("one")
    logger.info("two")
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"hybridcore: cannot write the log {workspace.logs}/{logs.LOG_NAME}: ")


def test_what_is_done_has_a_beginning_results_and_an_end(workspace, lines):
    with logs.recorded("sources", "sync", workspace=workspace) as say:
        say("cloned\none")
    assert messages(lines, workspace) == [
        "INFO sources: [sync] begun",
        "INFO sources: [sync] cloned\\none",
        "INFO sources: [sync] done after N s",
    ]


def test_an_end_by_an_error_says_why_and_hides_secrets(workspace, lines, monkeypatch):
    monkeypatch.setenv("PKR_VAR_password", "hunter2-one")
    with (
        pytest.raises(ConfigError),
        logs.recorded("packer", "build", workspace=workspace, secrets=["hunter2-two"]),
    ):
        raise ConfigError("neither hunter2-one nor hunter2-two is right")
    assert messages(lines, workspace)[1:] == [
        "ERROR packer: [build] failed after N s: neither *** nor *** is right"
    ]
    with pytest.raises(ValueError, match=r"^$"), logs.recorded("packer", "build", workspace=workspace):
        raise ValueError
    assert messages(lines, workspace)[-1] == "ERROR packer: [build] failed after N s: ValueError"


@pytest.mark.parametrize("error", [KeyboardInterrupt, Cancelled("cancelled")])
def test_a_cancel_is_told_as_one(workspace, lines, error):
    with pytest.raises((KeyboardInterrupt, Cancelled)), logs.recorded("packer", "build", workspace=workspace):
        raise error
    assert messages(lines, workspace)[1:] == ["WARNING packer: [build] cancelled after N s"]
