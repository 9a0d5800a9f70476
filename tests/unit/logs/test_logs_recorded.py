import re

import pytest

from hybridcore import logs
from hybridcore.errors import Cancelled, ConfigError


def messages(lines, workspace):
    """Level, component and message of each record, its times left out."""
    return [re.sub(r"\d+\.\d s", "N s", line.partition("] ")[2]) for line in lines(workspace)]


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
