"""A workspace with repositories to sync, and a look at what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridcore import sources, state
from hybridcore.errors import SourcesError
from hybridcore.logs import LOG_NAME
from hybridcore.workspace import Workspace, open_workspace
from tests.support.remotes import Remote, git


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

    @classmethod
    def alone(cls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
        """One whose git has no settings and no proxy of the user."""
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        return cls(tmp_path)

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


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file but the shared log, and the locks, in which the last holder wrote its name."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name not in (".lock", LOG_NAME)
    }
