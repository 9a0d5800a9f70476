"""`packer-hybrid.lock`: what is written there, what frozen makes of it, and what came since."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hybridcore import sources
from hybridcore.errors import SourcesError
from hybridcore.sources import unfinished
from hybridcore.workspace import open_workspace
from tests.support.remotes import Remote, git
from tests.support.sources import Space, snapshot

pytestmark = pytest.mark.integration


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space.alone(tmp_path, monkeypatch)


def lock(space: Space, *names: str, check: bool = False) -> list[sources.LockResult]:
    return sources.lock(names or None, check=check, workspace=open_workspace(space.root))


def diff(space: Space, **options: bool) -> list[sources.SourceDiff]:
    return sources.diff(**options, workspace=open_workspace(space.root))


def lock_file(space: Space) -> Path:
    return space.root / "packer-hybrid.lock"


def run_cli(space: Space, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_lock_file_has_commit_and_digest(space: Space) -> None:
    (space.remote.folder / "run.sh").write_text("#!/bin/sh\n")
    (space.remote.folder / "run.sh").chmod(0o755)
    (space.remote.folder / "link").symlink_to("file.txt")
    second = space.remote.commit("ä/b.txt", "two\n")
    space.settings(ref="main")
    space.sync()
    predicted = lock(space, check=True)
    assert not lock_file(space).exists()
    (result,) = lock(space)
    assert [result] == predicted
    paths = [
        ("100644", "file.txt", "one\n"),
        ("120000", "link", "file.txt"),
        ("100755", "run.sh", "#!/bin/sh\n"),
        ("100644", "ä/b.txt", "two\n"),
    ]
    whole = hashlib.sha256()
    for mode, path, content in paths:
        whole.update(f"{mode} {path}\0".encode() + hashlib.sha256(content.encode()).digest())
    tree = f"sha256:{whole.hexdigest()}"
    assert result == sources.LockResult("demo", second, tree, "", True)
    assert lock_file(space).read_text() == (
        '# Written by "packer-hybrid sources lock" and "packer-hybrid plugins lock".\n'
        '# "sources sync --frozen" and "plugins sync" need exactly this.\n'
        f'version = 1\n\n[sources."demo"]\nurl = "{space.remote.url}"\n'
        f'ref = "main"\nsha = "{second}"\ntree = "{tree}"\n'
    )
    before = snapshot(space.root)
    assert lock(space) == [sources.LockResult("demo", second, tree, second, False)]
    assert snapshot(space.root) == before


def test_other_entries_stay_and_those_of_gone_sources_go(space: Space) -> None:
    other = Remote(space.tmp_path / "remotes" / "other")
    first = other.commit()
    space.settings(more=f'[sources.other]\nurl = "{other.url}"\n')
    space.sync()
    lock(space)
    second = other.commit(text="two\n")
    space.remote.commit(text="two\n")
    space.sync()
    assert [(each.name, each.before, each.sha) for each in lock(space, "other")] == [("other", first, second)]
    text = lock_file(space).read_text()
    assert space.first in text
    assert second in text
    space.settings()
    space.sync()
    lock(space)
    assert '"other"' not in lock_file(space).read_text()


@pytest.mark.parametrize("fault", ["never synced", "dirty", "elsewhere", "half", "other ref"])
def test_only_what_the_last_sync_left_is_locked(space: Space, fault: str) -> None:
    if fault != "never synced":
        space.remote.commit(text="two\n")
        space.sync()
    if fault == "dirty":
        (space.clone / "note.txt").write_text("mine\n")
    elif fault == "elsewhere":
        git(space.clone, "checkout", "--quiet", space.first)
    elif fault == "half":
        unfinished.begin(space.clone, space.first)
    elif fault == "other ref":
        space.settings(ref="main")
    with pytest.raises(SourcesError, match="1 of 1 sources cannot be locked"):
        lock(space)
    assert not lock_file(space).exists()


def test_frozen_needs_exactly_what_is_locked(space: Space) -> None:
    space.settings(ref="main")
    space.sync()
    lock(space)
    second = space.remote.commit(text="two\n")
    assert [(each.action, each.sha) for each in space.sync(frozen=True)] == [("unchanged", space.first)]
    shutil.rmtree(space.clone)
    shutil.rmtree(space.root / "state")
    assert [(each.action, each.sha) for each in space.sync(frozen=True)] == [("cloned", space.first)]
    assert [each.sha for each in space.sync()] == [second]
    message = space.error(frozen=True)
    assert f"is at {second}, frozen is {space.first}" in message
    assert space.head() == second


@pytest.mark.parametrize("cloned", [True, False])
def test_frozen_refuses_files_of_another_digest(space: Space, cloned: bool) -> None:
    space.sync()
    (locked,) = lock(space)
    text = lock_file(space).read_text()
    other = "sha256:" + "0" * 64
    lock_file(space).write_text(text.replace(locked.tree, other))
    if not cloned:
        shutil.rmtree(space.clone)
    message = space.error(frozen=True)
    assert locked.tree in message
    assert other in message
    assert space.clone.exists() is cloned


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"ref": "main"}, "has it with another url or ref"),
        ({"sha": "0" * 40}, "but pinned is " + "0" * 40),
        ({"more": '[sources.new]\nurl = "/srv/new"\n'}, "new: frozen, but packer-hybrid.lock has no entry"),
    ],
)
def test_frozen_refuses_settings_that_are_not_locked(
    space: Space, setting: dict[str, str], words: str
) -> None:
    space.sync()
    lock(space)
    space.settings(**setting)
    assert words in space.error(frozen=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense\n", "the lock file cannot be read"),
        ("version = 2\n", "the lock file has version 2, known is 1"),
        ('version = 1\n[sources.demo]\nurl = "x"\n', "the entry of demo is not url, ref, sha and tree"),
        ("version = 1\nsources = 1\n", "the lock file is not right"),
    ],
)
def test_a_damaged_lock_file_is_an_error(space: Space, text: str, words: str) -> None:
    space.sync()
    lock_file(space).write_text(text)
    assert words in space.error(frozen=True)
    assert [each.action for each in space.sync()] == ["unchanged"]
    with pytest.raises(SourcesError, match=words):
        lock(space)
    assert lock_file(space).read_text() == text


def test_the_commits_that_a_sync_would_bring(space: Space) -> None:
    space.settings(ref="main")
    space.sync()
    lock(space)
    second = space.remote.commit(text="two\n")
    space.sync()
    third = space.remote.commit(text="three\x1b[31m\n")
    (found,) = diff(space)
    assert (found.name, found.before, found.after) == ("demo", space.first, third)
    assert [(each.sha, each.subject) for each in found.commits] == [
        (third, "file.txt: three?[31m"),
        (second, "file.txt: two"),
    ]
    assert found.withdrawn == ()
    assert space.head() == second
    lock_file(space).unlink()
    assert [each.sha for each in diff(space)[0].commits] == [third]


def test_commits_that_were_withdrawn_are_listed(space: Space) -> None:
    second = space.remote.commit(text="two\n")
    space.settings(ref="main")
    space.sync()
    git(space.remote.folder, "reset", "--quiet", "--hard", space.first)
    other = space.remote.commit(text="other\n")
    (found,) = diff(space)
    assert [each.sha for each in found.commits] == [other]
    assert [each.sha for each in found.withdrawn] == [second]
    space.remote.folder.rename(space.remote.folder.with_name("away"))
    assert diff(space, offline=True)[0].commits == ()


def test_a_source_that_was_not_synced_is_compared_with_what_is_locked(space: Space) -> None:
    (found,) = diff(space)
    assert (found.before, [each.sha for each in found.commits]) == ("", [space.first])
    space.sync()
    lock(space)
    second = space.remote.commit(text="two\n")
    shutil.rmtree(space.root / "sources")
    (found,) = diff(space)
    assert (found.before, [each.sha for each in found.commits]) == (space.first, [second])
    assert [path.name for path in (space.root / "sources").iterdir()] == [".lock"]


def test_command_line(space: Space) -> None:
    space.sync()
    would = run_cli(space, "sources", "lock", "--check")
    assert (would.returncode, would.stdout) == (5, f"locked    demo {space.first[:12]}\n")
    done = run_cli(space, "--json", "sources", "lock")
    assert json.loads(done.stdout)["results"][0]["sha"] == space.first
    assert run_cli(space, "sources", "lock", "demo").stdout == f"unchanged demo {space.first[:12]}\n"
    second = space.remote.commit(text="two\n")
    shown = run_cli(space, "sources", "diff")
    lines = shown.stdout.splitlines()
    assert lines[0] == f"demo {space.first[:12]}..{second[:12]}"
    assert lines[1].startswith(f"  + {second[:12]} 2")
    assert lines[1].endswith(" file.txt: two")
    found = json.loads(run_cli(space, "--json", "sources", "diff", "demo").stdout)["results"]
    assert [commit["sha"] for commit in found[0]["commits"]] == [second]
    assert run_cli(space, "sources", "lock", "nope").returncode == 1
