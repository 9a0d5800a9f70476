"""`sources.sync` with real git and real repositories."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybridcore import sources, state
from hybridcore.errors import LockError, SourcesError
from hybridcore.workspace import Workspace, open_workspace
from tests.support.remotes import Remote, git

pytestmark = pytest.mark.integration


class Space:
    """A workspace with one repository `demo` to clone."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.root = tmp_path / "workspace"
        self.root.mkdir()
        self.remote = Remote(tmp_path / "remotes" / "demo")
        self.first = self.remote.commit(text="one\n")
        self.clone = self.root / "sources" / "demo"
        self.settings()

    def settings(self, *, ref: str = "", sha: str = "", url: str = "", more: str = "") -> Workspace:
        text = f'[sources.demo]\nurl = "{url or self.remote.url}"\n'
        text += f'ref = "{ref}"\n' if ref else ""
        text += f'sha = "{sha}"\n' if sha else ""
        (self.root / "packer-hybrid.toml").write_text(text + more, encoding="utf-8")
        return open_workspace(self.root)

    def sync(self, *names: str, **options: bool) -> list[sources.SourceResult]:
        return sources.sync(names or None, **options, workspace=open_workspace(self.root))

    def error(self, *names: str, **options: bool) -> str:
        with pytest.raises(SourcesError) as caught:
            self.sync(*names, **options)
        return str(caught.value)

    def recorded(self) -> dict:
        return state.read(workspace=open_workspace(self.root)).get("sources", {})

    def head(self) -> str:
        return git(self.clone, "rev-parse", "HEAD")


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return Space(tmp_path)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file but the locks, in which the last holder wrote its name."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name != ".lock"
    }


def test_first_sync_clones_and_records(space: Space) -> None:
    (result,) = space.sync()
    assert result.to_dict() == {
        "name": "demo",
        "url": space.remote.url,
        "ref": "",
        "sha": space.first,
        "before": "",
        "path": str(space.clone),
        "changed": True,
        "action": "cloned",
    }
    assert (space.clone / "file.txt").read_text() == "one\n"
    entry = space.recorded()["demo"]
    assert (entry["url"], entry["ref"], entry["sha"]) == (space.remote.url, "", space.first)
    assert entry["synced_at"].endswith("Z")


def test_an_unchanged_sync_writes_nothing(space: Space) -> None:
    space.sync()
    before = snapshot(space.root)
    (result,) = space.sync()
    assert (result.changed, result.action, result.before) == (False, "unchanged", space.first)
    assert snapshot(space.root) == before


def test_an_update_follows_the_remote(space: Space) -> None:
    space.sync()
    second = space.remote.commit(text="two\n")
    (result,) = space.sync()
    assert (result.action, result.before, result.sha) == ("updated", space.first, second)
    assert (space.clone / "file.txt").read_text() == "two\n"
    assert space.recorded()["demo"]["sha"] == second


def test_a_rewritten_branch_is_followed(space: Space) -> None:
    space.sync()
    git(space.remote.folder, "commit", "--quiet", "--amend", "-m", "rewritten")
    rewritten = git(space.remote.folder, "rev-parse", "HEAD")
    (result,) = space.sync()
    assert (result.before, result.sha) == (space.first, rewritten)


def test_moved_tags_and_branches_that_became_folders_are_followed(space: Space) -> None:
    git(space.remote.folder, "branch", "release")
    git(space.remote.folder, "tag", "v1")
    space.settings(ref="v1")
    space.sync()
    git(space.clone, "tag", "mine")
    git(space.remote.folder, "branch", "--quiet", "--delete", "release")
    git(space.remote.folder, "branch", "release/1")
    second = space.remote.commit(text="two\n")
    git(space.remote.folder, "tag", "--force", "v1")
    assert [(result.action, result.sha) for result in space.sync()] == [("updated", second)]
    assert git(space.clone, "rev-parse", "mine") == space.first


@pytest.mark.parametrize("annotated", [True, False])
def test_a_tag(space: Space, annotated: bool) -> None:
    git(space.remote.folder, "tag", *(["-m", "release"] if annotated else []), "v1")
    space.remote.commit(text="two\n")
    space.settings(ref="v1")
    assert [result.sha for result in space.sync()] == [space.first]
    for ref in ("v1", "refs/tags/v1"):
        space.settings(ref=ref)
        assert [result.action for result in space.sync()] == ["unchanged"]


def test_a_commit_without_ref(space: Space) -> None:
    space.remote.commit(text="two\n")
    space.settings(sha=space.first)
    assert [result.sha for result in space.sync()] == [space.first]
    assert space.head() == space.first


def test_a_pinned_commit_that_no_branch_leads_to(space: Space) -> None:
    second = space.remote.commit(text="two\n")
    git(space.remote.folder, "reset", "--quiet", "--hard", space.first)
    space.sync()
    space.settings(sha=second)
    assert [(result.action, result.sha) for result in space.sync()] == [("updated", second)]


def test_a_pin_that_does_not_match_names_both(space: Space) -> None:
    wrong = "0" * 40
    space.settings(ref="main", sha=wrong)
    message = space.error()
    assert space.first in message
    assert wrong in message
    assert f"{space.root}/packer-hybrid.toml:1: demo:" in message
    assert not space.clone.exists()
    assert [path.name for path in (space.root / "sources").iterdir()] == [".lock"]
    assert space.recorded() == {}


def test_a_branch_that_moves_away_from_its_pin_is_an_error_and_nothing_moves(space: Space) -> None:
    space.settings(ref="main", sha=space.first)
    space.sync()
    second = space.remote.commit(text="two\n")
    message = space.error()
    assert space.first in message
    assert second in message
    assert space.head() == space.first


@pytest.mark.parametrize("ref", ["no-such-branch", "1234567"])
def test_a_ref_that_is_not_there(space: Space, ref: str) -> None:
    space.settings(ref=ref)
    assert f"there is no branch and no tag {ref!r}" in space.error()


def test_an_empty_remote(space: Space) -> None:
    empty = Remote(space.tmp_path / "remotes" / "empty")
    space.settings(url=empty.url)
    assert "there is no commit" in space.error()


@pytest.mark.parametrize("change", ["modified", "staged", "deleted", "untracked", "renamed"])
def test_a_dirty_tree_is_refused_and_kept(space: Space, change: str) -> None:
    space.sync()
    space.remote.commit(text="two\n")
    file = space.clone / "file.txt"
    if change == "untracked":
        (space.clone / "note.txt").write_text("mine\n")
    elif change == "deleted":
        file.unlink()
    elif change == "renamed":
        git(space.clone, "mv", "file.txt", "other.txt")
    else:
        file.write_text("mine\n")
        if change == "staged":
            git(space.clone, "add", "--all")
    before = snapshot(space.clone)
    message = space.error()
    assert "has changes of its own" in message
    assert {"untracked": "note.txt", "renamed": "other.txt"}.get(change, "file.txt") in message
    assert snapshot(space.clone) == before


def test_a_dirty_tree_is_refused_though_it_is_at_its_pin(space: Space) -> None:
    space.settings(sha=space.first)
    space.sync()
    (space.clone / "file.txt").write_text("mine\n")
    for options in ({}, {"frozen": True}, {"offline": True}, {"check": True}):
        assert "has changes of its own" in space.error(**options)


def test_the_users_git_cannot_hide_untracked_files(space: Space, tmp_path: Path, monkeypatch) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[status]\n\tshowUntrackedFiles = no\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    space.sync()
    (space.clone / "note.txt").write_text("mine\n")
    assert "untracked note.txt" in space.error()


def test_commits_of_the_user_are_refused_and_kept(space: Space) -> None:
    space.sync()
    (space.clone / "file.txt").write_text("mine\n")
    git(space.clone, "commit", "--quiet", "--all", "-m", "mine")
    mine = space.head()
    space.remote.commit(text="two\n")
    assert f"has commits of its own, {mine} the newest" in space.error()
    assert space.head() == mine


def test_commits_on_a_branch_are_no_obstacle_once_the_synced_commit_is_checked_out(space: Space) -> None:
    space.sync()
    git(space.clone, "checkout", "--quiet", "-b", "mine")
    git(space.clone, "commit", "--quiet", "--allow-empty", "-m", "mine")
    mine = space.head()
    git(space.clone, "checkout", "--quiet", "--detach", space.first)
    second = space.remote.commit(text="two\n")
    assert [result.sha for result in space.sync()] == [second]
    assert git(space.clone, "rev-parse", "mine") == mine


def test_an_ignored_file_in_the_way_is_kept(space: Space) -> None:
    space.remote.commit(".gitignore", "*.secret\n")
    space.sync()
    (space.clone / "my.secret").write_text("mine\n")
    git(space.remote.folder, "rm", "--quiet", ".gitignore")
    space.remote.commit("my.secret", "theirs\n")
    assert "cannot check out" in space.error()
    assert (space.clone / "my.secret").read_text() == "mine\n"


def test_a_changed_url_is_refused(space: Space) -> None:
    space.sync()
    other = Remote(space.tmp_path / "remotes" / "other")
    other.commit()
    space.settings(url=other.url)
    message = space.error()
    assert space.remote.url in message
    assert other.url in message


def test_a_folder_that_is_no_repository_is_refused(space: Space) -> None:
    space.clone.mkdir(parents=True)
    (space.clone / "thesis.txt").write_text("mine\n")
    # The workspace itself being a repository must not make its folders look like clones.
    git(space.root, "init", "--quiet")
    assert "is not a git clone of its own" in space.error()
    assert (space.clone / "thesis.txt").read_text() == "mine\n"


def test_an_empty_folder_is_used(space: Space) -> None:
    space.clone.mkdir(parents=True)
    assert [result.action for result in space.sync()] == ["cloned"]


def test_a_link_to_a_git_folder_elsewhere_is_refused(space: Space) -> None:
    space.clone.mkdir(parents=True)
    (space.clone / ".git").write_text(f"gitdir: {space.remote.folder}/.git\n")
    assert "is not a git clone of its own" in space.error()


def test_symbolic_links_out_of_the_workspace_are_refused(space: Space, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (space.root / "sources").mkdir()
    space.clone.symlink_to(outside)
    assert "is a symbolic link" in space.error()
    space.clone.unlink()
    shutil.rmtree(space.root / "sources")
    (space.root / "sources").symlink_to(outside)
    assert "out of the workspace" in space.error()
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    "setting",
    [
        '[core]\n\tfsmonitor = "touch {mark}; false"',
        '[core]\n\tsshCommand = "touch {mark}; false"',
        '[filter "x"]\n\tclean = "touch {mark}; cat"',
        "[include]\n\tpath = {mark}",
        "[core]\n\tworktree = /",
        '[url "ext::touch {mark}"]\n\tinsteadOf = file://',
    ],
)
def test_a_clone_whose_settings_could_run_programs_is_refused(space: Space, setting: str) -> None:
    space.sync()
    mark = space.tmp_path / "executed"
    with (space.clone / ".git" / "config").open("a") as file:
        file.write(setting.replace("{mark}", str(mark)) + "\n")
    (space.clone / ".gitattributes").write_text("* filter=x\n")
    (space.clone / "file.txt").write_text("mine!\n")
    assert "could run other programs" in space.error()
    assert not mark.exists()


def test_hooks_do_not_run(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "executed"
    templates = tmp_path / "git-template"
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        file = templates / "hooks" / hook
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\ntouch {mark}\n")
        file.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f"[init]\n\ttemplateDir = {templates}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    space.sync()
    shutil.copytree(templates / "hooks", space.clone / ".git" / "hooks")
    space.remote.commit(text="two\n")
    assert [result.action for result in space.sync()] == ["updated"]
    assert not mark.exists()


def test_submodules_are_left_alone(space: Space) -> None:
    inner = Remote(space.tmp_path / "remotes" / "inner")
    inner.commit()
    git(
        space.remote.folder,
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.url, "inner"),
    )
    space.remote.commit(text="with submodule\n")
    space.sync()
    assert list((space.clone / "inner").iterdir()) == []
    assert [result.action for result in space.sync()] == ["unchanged"]


def test_all_errors_are_reported_and_what_went_well_is_recorded(space: Space) -> None:
    space.settings(
        more="".join(
            f'[sources.{name}]\nurl = "file:///does/not/exist/{name}"\n' for name in ("gone", "lost")
        )
    )
    message = space.error()
    assert "2 of 3 sources cannot be synced" in message
    assert "packer-hybrid.toml:3: gone: cannot clone file:///does/not/exist/gone" in message
    assert "packer-hybrid.toml:5: lost:" in message
    assert space.recorded()["demo"]["sha"] == space.first
    assert sorted(path.name for path in (space.root / "sources").iterdir()) == [".lock", "demo"]


def test_only_the_named_ones(space: Space) -> None:
    other = Remote(space.tmp_path / "remotes" / "other")
    other.commit()
    space.settings(more=f'[sources.other]\nurl = "{other.url}"\n')
    assert [result.name for result in space.sync("other")] == ["other"]
    assert not space.clone.exists()


def test_a_source_that_left_the_settings_leaves_the_state_but_not_the_disk(space: Space) -> None:
    space.sync()
    (space.root / "packer-hybrid.toml").write_text("")
    assert space.sync() == []
    assert space.recorded() == {}
    assert space.clone.is_dir()


def test_check_says_what_a_sync_would_do_and_writes_nothing(space: Space) -> None:
    before = snapshot(space.root)
    predicted = space.sync(check=True)
    assert snapshot(space.root) == before
    assert not (space.root / "sources").exists()
    assert space.sync() == predicted
    second = space.remote.commit(text="two\n")
    before = snapshot(space.root)
    predicted = space.sync(check=True)
    assert (predicted[0].action, predicted[0].sha) == ("updated", second)
    assert snapshot(space.root) == before
    assert space.sync() == predicted


def test_frozen_needs_no_network_and_lets_nothing_move(space: Space) -> None:
    space.sync()
    space.remote.commit(text="two\n")
    shutil.rmtree(space.remote.folder)
    (result,) = space.sync(frozen=True)
    assert (result.action, result.sha) == ("unchanged", space.first)


def test_frozen_refuses_a_checkout_elsewhere(space: Space) -> None:
    second = space.remote.commit(text="two\n")
    space.sync()
    git(space.clone, "checkout", "--quiet", space.first)
    message = space.error(frozen=True)
    assert space.first in message
    assert second in message
    assert space.head() == space.first


def test_frozen_clones_what_is_missing_at_the_recorded_commit(space: Space) -> None:
    space.sync()
    space.remote.commit(text="two\n")
    shutil.rmtree(space.clone)
    assert [(result.action, result.sha) for result in space.sync(frozen=True)] == [("cloned", space.first)]


def test_frozen_without_pin_and_record_is_an_error(space: Space) -> None:
    assert "has no sha and the state has no record" in space.error(frozen=True)
    space.sync()
    space.settings(ref="main")
    assert "no record of this url and ref" in space.error(frozen=True)


def test_offline(space: Space) -> None:
    assert "offline nothing can be cloned" in space.error(offline=True)
    git(space.remote.folder, "tag", "v1")
    second = space.remote.commit(text="two\n")
    space.sync()
    space.remote.folder.rename(space.remote.folder.with_name("away"))
    assert [result.action for result in space.sync(offline=True)] == ["unchanged"]
    space.settings(ref="v1")
    assert [(result.action, result.sha) for result in space.sync(offline=True)] == [("updated", space.first)]
    space.settings(ref="main")
    assert [result.sha for result in space.sync(offline=True)] == [second]
    space.settings(sha="0" * 40)
    assert "offline it cannot be fetched" in space.error(offline=True)
    assert space.head() == second


def test_leftovers_of_a_killed_sync_go(space: Space) -> None:
    left = space.root / "sources" / ".clone-demo-abc" / "demo"
    left.mkdir(parents=True)
    space.sync()
    assert sorted(path.name for path in (space.root / "sources").iterdir()) == [".lock", "demo"]


def test_a_second_sync_waits_no_longer_than_allowed(space: Space) -> None:
    import fcntl

    space.settings(more="[state]\nlock_timeout = 0\n")
    (space.root / "sources").mkdir()
    with (space.root / "sources" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockError, match=r"the folder .*/sources is locked by"):
            space.sync()
    assert [result.action for result in space.sync()] == ["cloned"]


def test_a_sources_that_is_no_folder(space: Space) -> None:
    (space.root / "sources").write_text("not a folder\n")
    assert "is not a folder" in space.error()


def test_an_interrupt_ends_git_at_once_and_leaves_no_half_clone(space: Space, tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    started = tmp_path / "started"
    fake = bin_folder / "git"
    fake.write_text(f"#!/bin/sh\necho $$ > {started}.new\nmv {started}.new {started}\nexec sleep 600\n")
    fake.chmod(0o755)
    run = subprocess.Popen(
        [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), "sources", "sync"],
        env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 30
    while not started.exists():
        assert time.monotonic() < until
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (130, "packer-hybrid: cancelled\n")
    assert not Path(f"/proc/{started.read_text().strip()}").exists()
    assert [path.name for path in (space.root / "sources").iterdir()] == [".lock"]


def run_cli(space: Space, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_line(space: Space) -> None:
    would = run_cli(space, "sources", "sync", "--check")
    assert (would.returncode, would.stdout.split()[:3]) == (5, ["cloned", "demo", space.first[:12]])
    done = run_cli(space, "--json", "sources", "sync", "demo")
    assert done.returncode == 0
    assert json.loads(done.stdout)["results"][0]["sha"] == space.first
    assert run_cli(space, "sources", "sync", "--frozen", "--offline").returncode == 0
    (space.clone / "file.txt").write_text("mine\n")
    refused = run_cli(space, "sources", "sync")
    assert refused.returncode == 1
    assert "has changes of its own: modified file.txt" in refused.stderr
    assert "Traceback" not in refused.stderr
