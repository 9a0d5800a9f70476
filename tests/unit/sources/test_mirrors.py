"""What stands for the network offline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import SourcesError
from hybridcore.sources.mirrors import manifest, repositories
from hybridcore.sources.runner import Runner
from tests.support.workspaces import WorkspaceFolder

URL = "https://git.example.org/demo.git"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.settings(f'[offline]\nmirror = "mirror"\n[sources.demo]\nurl = "{URL}"\n')
    (made.root / "mirror").mkdir()
    return made


def test_without_a_mirror_there_is_none(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace().open()
    assert repositories(space) == {}
    assert manifest(space) == {"repositories": {}, "files": {}}


def test_repositories_by_the_name_of_the_source_and_by_url(space: WorkspaceFolder) -> None:
    mirror = space.root / "mirror"
    assert repositories(space.open()) == {}
    (mirror / "demo").mkdir()
    assert repositories(space.open()) == {URL: mirror / "demo"}
    (mirror / "demo.git").mkdir()
    assert repositories(space.open()) == {URL: mirror / "demo.git"}
    other = {"repositories": {URL: "r/x.git", "https://a": "r/a.git"}, "files": {}}
    (mirror / "bundle.json").write_text(json.dumps(other))
    assert repositories(space.open()) == {URL: mirror / "r/x.git", "https://a": mirror / "r/a.git"}


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"repositories": {"u": "/etc"}, "files": {}}',
        '{"repositories": {"u": "../x"}, "files": {}}',
        '{"repositories": {}, "files": {"a/../../x": "0"}}',
        '{"repositories": {"u": 1}, "files": {}}',
    ],
)
def test_a_damaged_bundle_is_refused(space: WorkspaceFolder, text: str) -> None:
    (space.root / "mirror/bundle.json").write_text(text)
    with pytest.raises(SourcesError):
        manifest(space.open())


def test_git_takes_the_mirror_and_nothing_but_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "me")
    env = Runner(offline=True, mirrors={URL: Path("/mirror/demo.git")})._env
    assert env["GIT_ALLOW_PROTOCOL"] == "file"
    assert (env["GIT_CONFIG_COUNT"], env["GIT_CONFIG_VALUE_0"]) == ("2", "me")
    assert (env["GIT_CONFIG_KEY_1"], env["GIT_CONFIG_VALUE_1"]) == ("url./mirror/demo.git.insteadOf", URL)
    assert Runner(offline=True)._env["GIT_ALLOW_PROTOCOL"] == "none"
