"""What running builds are seen to read: real files that are opened in a mirror and in the workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hybridcore.packer.building.observation import Observer, Reading, add_reading, listed
from hybridcore.packer.planning.fingerprint import Digests
from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder

ROOT = Path(__file__).resolve().parents[4]
ONE, TWO = "linux/null/one", "linux/null/two"


def planned(target: str, *known: str, observed: tuple[str, ...] = ()) -> Any:
    inputs = dict.fromkeys((*known, *observed), "digest")
    return SimpleNamespace(
        template=SimpleNamespace(target=target),
        inputs=inputs,
        observed=observed,
        files={"assets": {"a": "digest"}},
    )


@pytest.fixture
def mirror(tmp_path: Path) -> Any:
    """A mirror with a copy of one file of the workspace."""
    root = tmp_path / "mirror"
    (root / "files").mkdir(parents=True)
    (root / "files/copy").write_text("x")
    return SimpleNamespace(root=str(root), folders=["", "files"], copies={"files/copy"})


@pytest.fixture
def files(space: WorkspaceFolder) -> WorkspaceFolder:
    for name in ("files/copy", "files/other", "files/known", "assets/a", "logs/x", ".hidden/x", "x.pkr.hcl"):
        space.write(name, "x")
    space.write("venv/pyvenv.cfg", "")
    space.write("venv/lib", "")
    return space


@pytest.fixture
def observer(files: WorkspaceFolder) -> Iterator[Observer]:
    made = Observer(files.open())
    yield made
    made.close()


def read(folder: str | Path, *names: str) -> None:
    for name in names:
        (Path(folder) / name).read_text()


def test_a_copy_and_what_nothing_names_in_the_workspace_are_seen(
    observer: Observer, files: WorkspaceFolder, mirror: Any
) -> None:
    observer.begin(planned(ONE, "files/known"), mirror)
    read(mirror.root, "files/copy")
    read(files.root, "files/other", "files/known", "assets/a", "logs/x", ".hidden/x", "x.pkr.hcl", "venv/lib")
    reading = observer.end(ONE)
    assert (reading.copies, reading.others, reading.trouble) == ({"files/copy"}, {"files/other"}, "")


def test_what_we_are_made_of_is_no_input_where_it_lies_in_the_workspace(mirror: Any) -> None:
    """In a checkout each process of ours that starts during a build opens the core."""
    observer = Observer(Workspace(ROOT))
    try:
        observer.begin(planned(ONE), mirror)
        read(ROOT, "hybridcore/errors.py", "hybridcore/process/kill.py", "docs/usage.md")
        reading = observer.end(ONE)
    finally:
        observer.close()
    assert "docs/usage.md" in reading.others
    assert [path for path in reading.others if path.startswith("hybridcore/")] == []


def test_what_was_read_before_or_after_what_we_read_and_what_never_counts(
    observer: Observer, files: WorkspaceFolder, mirror: Any
) -> None:
    read(files.root, "files/other")
    observer.begin(planned(ONE), mirror, never=["files"])
    read(files.root, "files/known")
    read(mirror.root, "files/copy")
    observer.take()
    (files.root / "ours").touch()
    observer.take(["ours"])
    reading = observer.end(ONE)
    read(files.root, "files/other")
    assert (reading.copies, reading.others) == (set(), set())


def test_what_we_opened_ourselves_before_a_build_is_read_by_no_build(
    observer: Observer, files: WorkspaceFolder, mirror: Any
) -> None:
    nothing = SimpleNamespace(root=mirror.root, folders=[], copies=set())
    observer.begin(planned(TWO), nothing)
    # Their digests are taken, and the mirror is made.
    read(files.root, "files/known", "files/other", "files/copy")
    observer.begin(planned(ONE, "files/known", observed=("files/other",)), mirror)
    assert observer.end(ONE).others == set()
    assert observer.end(TWO).others == set()


def test_a_file_counts_for_each_build_unless_one_is_known_to_read_it(
    observer: Observer, files: WorkspaceFolder, mirror: Any
) -> None:
    nothing = SimpleNamespace(root=mirror.root, folders=[], copies=set())
    observer.begin(planned(ONE, "files/known"), mirror)
    observer.begin(planned(TWO), nothing)
    read(files.root, "files/known", "files/other")
    assert observer.end(TWO).others == {"files/other"}
    # The end of a build looks at its inputs, which the other one did not read.
    assert observer.end(ONE).others == {"files/other"}


def test_a_build_that_could_not_be_started_has_read_nothing(observer: Observer) -> None:
    reading = observer.end(ONE)
    assert (reading.copies, reading.others, reading.trouble) == (set(), set(), "")


def test_a_search_through_the_workspace_is_no_reading(
    observer: Observer, files: WorkspaceFolder, mirror: Any
) -> None:
    observer.begin(planned(ONE, observed=("files/other",)), mirror)
    for number in range(501):
        (files.root / f"files/n{number}").touch()
    read(files.root, "files/other")
    reading = observer.end(ONE)
    assert reading.others == {"files/other"}
    assert "more than 500 files were opened" in reading.trouble


def test_what_was_seen_becomes_an_input_and_what_was_not_seen_again_counts_no_more(
    files: WorkspaceFolder,
) -> None:
    where, digests = files.open(), Digests(files.open())
    reading = Reading(
        time.time_ns() + 10**9, copies={"files/copy", "files/gone"}, others={"files/kept", "none"}
    )
    files.write("files/kept", "x")
    target = planned(ONE, "files/known", observed=("files/kept", "files/past"))
    seen = add_reading(target, reading, where, digests)
    assert sorted(seen.inputs) == ["files/copy", "files/kept", "files/known"]
    assert seen.observed == ("files/copy", "files/kept")
    assert seen.changed == ["files/gone removed"]
    assert seen.warnings == ["it reads files/copy, which nothing names: inputs from now on"]


def test_where_the_look_was_not_whole_what_was_known_stays(files: WorkspaceFolder) -> None:
    target = planned(ONE, observed=("files/past",))
    seen = add_reading(target, Reading(0, trouble="why"), files.open(), Digests(files.open()))
    assert seen.observed == ("files/past",)
    assert seen.warnings == ["what it reads is not all known: why"]
    assert add_reading(target, None, files.open(), Digests(files.open())).observed == ("files/past",)


def test_what_changed_meanwhile_is_no_input(files: WorkspaceFolder) -> None:
    reading = Reading(0, copies={"files/copy"}, others={"files/other"})
    seen = add_reading(planned(ONE), reading, files.open(), Digests(files.open()))
    assert (seen.inputs, seen.observed, seen.changed) == ({}, (), ["files/copy changed"])
    assert seen.warnings == ["files/other changed in the workspace while it was built: no inputs"]


@pytest.mark.parametrize(
    ("count", "text"), [(1, "n0"), (5, "n0, n1, n2, n3, n4"), (7, "n0, n1, n2, n3, n4 and 2 more")]
)
def test_some_names_and_how_many_more(count: int, text: str) -> None:
    assert listed([f"n{number}" for number in range(count)]) == text
