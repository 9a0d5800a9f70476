"""What a task on the control node shows, and the workspace that it works on."""

from __future__ import annotations

import logging
import os
import signal
from types import ModuleType

import pytest


class Display:
    """Ansible's display: keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.verbosity = 0

    def display(self, text: str) -> None:
        self.shown.append(text)


@pytest.fixture
def here(plugin, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    return plugin("plugin_utils.here")


@pytest.fixture
def display(here: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Display:
    made = Display()
    monkeypatch.setattr(here, "Display", lambda: made)
    return made


KINDS = ("say", "message", "error", "other")


@pytest.mark.parametrize(
    ("verbosity", "under_awx", "kinds"),
    [
        (0, False, ["say", "message", "error"]),
        (2, False, ["say", "message", "error", "other"]),
        (2, True, ["say", "error"]),
    ],
)
def test_which_lines_are_shown(
    here: ModuleType,
    display: Display,
    monkeypatch: pytest.MonkeyPatch,
    verbosity: int,
    under_awx: bool,
    kinds: list[str],
) -> None:
    if under_awx:
        monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner")
    display.verbosity = verbosity
    monitor = here.DisplayMonitor()
    for kind in KINDS:
        monitor.line("linux/null/a", kind, kind)
    assert display.shown == [f"linux/null/a: {kind}" for kind in kinds]


@pytest.mark.parametrize("colour", [True, False])
def test_codes_for_terminals_are_left_out_where_ansible_shows_no_colours(
    here: ModuleType, display: Display, monkeypatch: pytest.MonkeyPatch, colour: bool
) -> None:
    monkeypatch.setattr(here, "ANSIBLE_COLOR", colour)
    here.DisplayMonitor().note("\x1b[31mred\x1b[0m")
    assert display.shown == ["\x1b[31mred\x1b[0m" if colour else "red"]


@pytest.mark.parametrize("under_awx", [True, False])
def test_a_long_silence_is_broken_but_not_under_awx(
    here: ModuleType, display: Display, monkeypatch: pytest.MonkeyPatch, under_awx: bool
) -> None:
    if under_awx:
        monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner")
    monitor = here.DisplayMonitor()
    monkeypatch.setattr(monitor._silence, "told", lambda running: f"still {', '.join(running)}")
    monitor.tick({"linux/null/a": 12.0})
    assert display.shown == ([] if under_awx else ["still linux/null/a"])


def test_what_is_shown_breaks_the_silence(
    here: ModuleType, display: Display, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = here.DisplayMonitor()
    broken: list[int] = []
    monkeypatch.setattr(monitor._silence, "broken", lambda: broken.append(1))
    monitor.note("something")
    monitor.line("linux/null/a", "not shown", "other")
    assert broken == [1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_a_line_is_shown(
    here: ModuleType, display: Display, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    order: list[str] = []

    def show(text: str) -> None:
        os.kill(os.getpid(), number)
        order.append(text)

    monkeypatch.setattr(display, "display", show)
    before = signal.signal(number, lambda n, _: order.append("the signal"))
    try:
        here.DisplayMonitor().note("the line")
        assert order == ["the line", "the signal"]
        os.kill(os.getpid(), number)
        assert order == ["the line", "the signal", "the signal"], "the handler is what it was"
    finally:
        signal.signal(number, before)


def test_the_workspace_that_is_named_is_relative_to_the_playbook(here: ModuleType) -> None:
    assert here.workspace_for("images", "/srv/play") == "/srv/play/images"
    assert here.workspace_for("/srv/images", "/srv/play") == "/srv/images"


def test_the_workspace_of_the_environment_then_above_the_playbook_then_above_us(
    here: ModuleType, plugin, make_workspace, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, plays, set_ = (make_workspace(name).root for name in ("ours", "plays", "set"))
    (plays / "deep").mkdir()
    (tmp_path / "linked").symlink_to(plays / "deep")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(ours)
    assert here.workspace_for("", str(plays / "deep")) == str(plays)
    assert here.workspace_for(None, str(tmp_path / "linked")) == str(plays)
    assert here.workspace_for(None, str(tmp_path / "else")) == str(ours)
    monkeypatch.setenv("HYBRIDCORE_WORKSPACE", str(set_))
    assert here.workspace_for(None, str(plays)) == str(set_)
    monkeypatch.delenv("HYBRIDCORE_WORKSPACE")
    monkeypatch.chdir(tmp_path / "else")
    errors = plugin("module_utils.hybridcore.errors")
    with pytest.raises(errors.WorkspaceError):
        here.workspace_for(None, str(tmp_path / "else"))


def test_settings_that_are_not_right_do_not_lead_to_another_workspace(
    here: ModuleType, make_workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, plays = make_workspace("ours"), make_workspace("plays")
    plays.write("packer-hybrid.toml", "no settings")
    monkeypatch.chdir(ours.root)
    assert here.workspace_for(None, str(plays.root)) == str(plays.root)


def test_warnings_of_the_core_are_shown_while_the_block_runs(here: ModuleType, display: Display) -> None:
    monitor = here.DisplayMonitor()
    logger = logging.getLogger("hybridcore.state")
    handlers = list(logger.handlers)
    with here.warnings_shown(monitor):
        logger.warning("it will not outlive %s", "its container")
        logger.info("not this")
    assert display.shown == ["warning: it will not outlive its container"]
    assert logger.handlers == handlers
