"""Working on several repositories at a time: what comes of it, who sees it, and the lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore.errors import LockError, SourcesError
from hybridcore.monitor import NullMonitor
from hybridcore.source_settings import SourceSetting
from hybridcore.sources.records import Asked
from hybridcore.sources.working import Work, working
from hybridcore.workspace import Workspace, open_workspace

SETTINGS = """
[state]
lock_timeout = 0
[sources.one]
url = "/srv/one"
[sources.two]
url = "/srv/two"
"""


class Seen(NullMonitor):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def line(self, target: str, text: str, kind: str) -> None:
        self.lines.append((target, text))


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "packer-hybrid.toml").write_text(SETTINGS)
    return open_workspace(tmp_path)


def asked(space: Workspace, *, check: bool = False) -> Asked:
    return Asked(space, {}, frozen=False, offline=False, check=check)


def test_what_comes_of_each_is_in_order_and_a_fault_has_its_line(space: Workspace) -> None:
    monitor = Seen()
    work = Work(space, monitor, offline=True, mirrors={})

    def one(setting: SourceSetting) -> str:
        work.git._tell(setting.name, "at work")
        if setting.name == "one":
            raise SourcesError("it is away", hint="wait")
        return setting.url

    done, faults = work.each(list(space.settings.sources.values()), one)
    assert done == ["/srv/two"]
    assert [str(fault) for fault in faults] == [f"{space.root}/packer-hybrid.toml:4: one: it is away (wait)"]
    assert sorted(monitor.lines) == [("one", "at work"), ("two", "at work")]


def test_what_nobody_expected_ends_it(space: Workspace) -> None:
    def one(setting: SourceSetting) -> str:
        raise ZeroDivisionError(setting.name)

    with pytest.raises(ZeroDivisionError, match="one"):
        Work(space, None, offline=True, mirrors={}).each(list(space.settings.sources.values()), one)


def test_one_at_a_time_works_there_and_a_check_writes_nothing(space: Workspace) -> None:
    with working(asked(space, check=True), None):
        assert not space.sources.exists()
    with (
        working(asked(space), None),
        pytest.raises(LockError, match="sources"),
        working(asked(space), None),
    ):
        pytest.fail("two work there at a time")
    with working(asked(space), None):
        assert (space.sources / ".lock").exists()
