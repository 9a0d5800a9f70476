"""`packer-hybrid state`: what is shown of the state, and what a repair says."""

import json

import pytest

from hybridcore import state


def test_state_show_prints_the_state(full, workspace, cli):
    state.write(full, workspace=workspace)
    expected = state.read(workspace=workspace)
    code, out, _ = cli("state", "show")
    assert (code, json.loads(out)) == (0, expected)
    assert out.startswith('{\n  "schema_version": 2,')
    assert json.loads(cli("--json", "state", "show")[1]) == expected


def test_state_history_is_newest_first(full, workspace, cli):
    full["history"] = [{**full["history"][0], "id": f"r{number}"} for number in range(3)]
    state.write(full, workspace=workspace)
    _, out, _ = cli("state", "history")
    rows = out.splitlines()
    assert rows[0].split() == "RUN STARTED FINISHED STATUS ENVIRONMENT COMMAND TARGETS".split()
    assert [row.split()[0] for row in rows[1:]] == ["r2", "r1", "r0"]
    assert rows[1].endswith("partial  dev          build    1 failed")
    history = json.loads(cli("--json", "state", "history", "--limit", "1")[1])["history"]
    assert history == [full["history"][2]]
    assert cli("--json", "state", "history")[0] == 0


def test_state_history_before_the_first_run(cli):
    assert cli("state", "history")[1] == "nothing was run yet\n"


def test_a_damaged_state_is_refused_and_repaired(full, workspace, cli):
    for version in ("1", "2"):
        full["plugins"]["x"] = version
        state.write(full, workspace=workspace)
    damaged = workspace.state_file.read_bytes()[:-9]
    workspace.state_file.write_bytes(damaged)
    code, out, err = cli("status")
    assert (code, out) == (1, "")
    assert "the state is damaged" in err
    assert "packer-hybrid state repair" in err
    code, out, _ = cli("state", "repair")
    assert code == 0
    (kept,) = workspace.state_dir.glob("packer-hybrid.json.damaged-*")
    assert f"the damaged file is now {kept}" in out
    assert "restored the last good copy, written at 20" in out
    assert "lost: what was recorded after 20" in out
    assert kept.read_bytes() == damaged
    assert state.read(workspace=workspace)["plugins"]["x"] == "1"
    assert cli("state", "repair")[1] == "the state is sound; nothing was done\n"


def test_repair_as_data(full, workspace, cli):
    workspace.state_dir.mkdir()
    workspace.state_file.write_text("x")
    code, out, _ = cli("--json", "state", "repair")
    report = json.loads(out)
    assert code == 0
    assert sorted(report) == ["kept", "lost", "problem", "restored"]
    assert report["restored"] is None
    assert report["lost"] == ["everything that was recorded: there was no good copy"]


def test_a_lock_that_is_held_has_its_own_exit_code(workspace, cli):
    (workspace.root / "packer-hybrid.toml").write_text("[state]\nlock_timeout = 0\n")
    with state.transaction(workspace=workspace, command="a build"):
        code, _, err = cli("state", "repair")
    assert code == 4
    assert "locked by a build (pid" in err


@pytest.mark.parametrize("argv", [["state"], ["state", "shred"], ["state", "history", "--limit", "x"]])
def test_wrong_usage(cli, argv):
    with pytest.raises(SystemExit) as caught:
        cli(*argv)
    assert caught.value.code == 2
