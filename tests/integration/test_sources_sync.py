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

from hybridcore.errors import LockError
from tests.support.remotes import Remote, git
from tests.support.sources import Space, snapshot

pytestmark = pytest.mark.integration


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space.alone(tmp_path, monkeypatch)


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
        "warning": "",
        "kind": "example",
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
        '[filter "lfs"]\n\tclean = "touch {mark}; git-lfs clean -- %f"',
        '[lfs "customtransfer.x"]\n\tpath = touch {mark}',
        '[lfs "extension.x"]\n\tclean = touch {mark}',
        "[fetch]\n\tbundleURI = https://example.org/x",
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


@pytest.mark.parametrize(
    "setting",
    [
        "[core]\n\tuntrackedCache = true\n\tcompression = 9",
        '[remote "mine"]\n\turl = https://example.org/x\n\tpushurl = git@example.org:x',
        '[branch "main"]\n\tdescription = mine',
        "[diff]\n\talgorithm = histogram\n[merge]\n\tconflictStyle = diff3\n[commit]\n\tgpgSign = true",
        '[lfs]\n\trepositoryformatversion = 0\n[lfs "https://example.org/x.git/info/lfs"]\n\taccess = basic',
        '[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f'
        "\n\tprocess = git-lfs filter-process\n\trequired = true",
    ],
)
def test_a_clone_whose_settings_are_harmless_is_synced(space: Space, setting: str) -> None:
    space.sync()
    with (space.clone / ".git" / "config").open("a") as file:
        file.write(setting + "\n")
    second = space.remote.commit(text="two\n")
    assert [result.sha for result in space.sync()] == [second]


def test_git_lfs_of_the_user(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed")
    config = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    subprocess.run(["git", "lfs", "install", "--skip-repo"], check=True, capture_output=True)
    (space.remote.folder / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (space.remote.folder / "disk.bin").write_text("large\n")
    name = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for command in (("add", "--all"), (*name, "commit", "--quiet", "-m", "large")):
        subprocess.run(["git", *command], cwd=space.remote.folder, check=True)
    assert git(space.remote.folder, "show", "HEAD:disk.bin").startswith("version https://git-lfs")
    assert [result.action for result in space.sync()] == ["cloned"]
    assert (space.clone / "disk.bin").read_text() == "large\n"
    assert "[lfs]" in (space.clone / ".git" / "config").read_text()
    assert [result.action for result in space.sync()] == ["unchanged"]


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


BROKEN = "".join(f'[sources.{name}]\nurl = "file:///does/not/exist/{name}"\n' for name in ("gone", "lost"))


def test_all_errors_are_reported_and_what_went_well_is_recorded(space: Space) -> None:
    space.settings(more=BROKEN)
    message = space.error(keep_going=True)
    assert "2 of 3 sources cannot be synced" in message
    assert "packer-hybrid.toml:3: gone: cannot clone file:///does/not/exist/gone" in message
    assert "packer-hybrid.toml:5: lost:" in message
    assert space.recorded()["demo"]["sha"] == space.first
    assert sorted(path.name for path in (space.root / "sources").iterdir()) == [".lock", "demo"]


def test_nothing_moves_when_one_is_not_as_it_should_be(space: Space) -> None:
    space.settings(more=BROKEN)
    assert "2 of 3 sources cannot be synced (nothing was moved" in space.error()
    assert [path.name for path in (space.root / "sources").iterdir()] == [".lock"]
    assert space.recorded() == {}


@pytest.mark.parametrize("fault", ["dirty", "unpushed", "pin", "in the way"])
def test_each_fault_stops_the_move_of_the_others(space: Space, fault: str) -> None:
    other = Remote(space.tmp_path / "remotes" / "other")
    other.commit(".gitignore", "*.secret\n")
    first = other.commit(text="one\n")
    table = f'[sources.other]\nurl = "{other.url}"\nref = "main"\n'
    space.settings(more=table)
    space.sync()
    clone = space.root / "sources" / "other"
    space.remote.commit(text="two\n")
    if fault == "dirty":
        (clone / "note.txt").write_text("mine\n")
    elif fault == "unpushed":
        git(clone, "commit", "--quiet", "--allow-empty", "-m", "mine")
    elif fault == "pin":
        space.settings(more=f'{table}sha = "{first}"\n')
    else:
        (clone / "my.secret").write_text("mine\n")
        git(other.folder, "rm", "--quiet", ".gitignore")
    other.commit("my.secret", "theirs\n")
    words = {"dirty": "changes of its own", "unpushed": "commits of its own", "pin": "but pinned is"}
    message = space.error()
    assert words.get(fault, "my.secret is in the way") in message
    assert "1 of 2 sources cannot be synced" in message
    assert (space.head(), space.recorded()["demo"]["sha"]) == (space.first, space.first)


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


def test_offline_stays_where_the_remote_was_seen_last(space: Space) -> None:
    """A commit that was withdrawn is still in the clone, and a tag may be new on a commit that was there."""
    withdrawn = space.remote.commit(text="two\n")
    space.settings(ref="main")
    assert [result.sha for result in space.sync()] == [withdrawn]
    git(space.remote.folder, "reset", "--quiet", "--hard", space.first)
    git(space.remote.folder, "tag", "v1")
    assert [result.sha for result in space.sync()] == [space.first]
    assert [result.action for result in space.sync(offline=True)] == ["unchanged"]
    space.settings(ref="v1")
    assert [result.action for result in space.sync(offline=True)] == ["unchanged"]
    space.sync()
    space.settings(ref="main")
    assert [result.sha for result in space.sync(offline=True)] == [space.first]


def test_offline_finds_a_tag_that_came_without_a_commit(space: Space) -> None:
    space.settings(ref="main")
    space.sync()
    git(space.remote.folder, "tag", "v1")
    space.settings(ref="v1")
    space.sync()
    space.settings(ref="main")
    space.sync()
    space.settings(ref="v1")
    assert [result.action for result in space.sync(offline=True)] == ["unchanged"]


@pytest.mark.parametrize("synced", [False, True])
def test_the_id_of_a_tag_is_no_commit(space: Space, synced: bool) -> None:
    git(space.remote.folder, "tag", "-m", "release", "v1")
    tag = git(space.remote.folder, "rev-parse", "v1")
    if synced:
        space.sync()
    for setting in ({"sha": tag}, {"ref": tag}):
        space.settings(**setting)
        message = space.error()
        assert f"{tag} is a tag, not a commit" in message
        assert f"its commit is {space.first}" in message


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
    (space.root / "sources").unlink()
    (space.root / "sources").symlink_to("sources")
    assert "is not a folder" in space.error(), "a circle of links"


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
