"""What is in the folder of plugins, against what is pinned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import SourcesError
from hybridcore.packer.pinned.checks import pin_of, problem, refusals, seen
from hybridcore.packer.program.plugins import machine
from hybridcore.plugin_settings import PluginSetting
from hybridcore.sources.lockfile import LockedPlugin
from tests.support.plugins import SOURCE, digest, install, program
from tests.support.workspaces import WorkspaceFolder

OTHER = "1" * 64


def locked(sha256: str, version: str = "1.2.3", where: str = "") -> dict[str, LockedPlugin]:
    return {SOURCE: LockedPlugin(version, {where or machine(): sha256})}


def test_the_digest_that_is_pinned() -> None:
    one = PluginSetting(SOURCE, "1.2.3")
    assert pin_of(one, {}) == ""
    assert pin_of(one, locked(OTHER)) == OTHER
    assert pin_of(one, locked(OTHER, where="plan9_mips")) == ""
    settled = PluginSetting(SOURCE, "1.2.3", sha256=OTHER)
    assert pin_of(settled, locked(OTHER)) == OTHER
    with pytest.raises(SourcesError, match="have different digests"):
        pin_of(settled, locked("2" * 64))
    with pytest.raises(SourcesError, match=r"has version 1\.2\.4, the settings say 1\.2\.3"):
        pin_of(one, locked(OTHER, "1.2.4"))


def test_what_is_wrong_with_a_program(tmp_path: Path) -> None:
    one = PluginSetting(SOURCE, "1.2.3")
    assert problem(one, None, {}).broken
    path = install(tmp_path, program())
    assert not problem(one, path, locked(digest(program()))).text
    loose = problem(one, path, {})
    assert (loose.text, loose.broken) == ("it is not pinned by a digest", False)
    assert problem(one, path, locked(OTHER)).broken
    # Packer itself refuses one whose file of the digest says otherwise.
    install(tmp_path, program(), says=OTHER)
    assert problem(one, path, {}).text.endswith(f"_SHA256SUM says {OTHER}")


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.settings(
        f'packer = {{strict = true}}\n[plugins."{SOURCE}"]\nversion = "1.2.3"\n'
        f'sha256 = "{digest(program())}"\n'
    )
    install(made.root / ".packer-plugins", program())
    return made


def test_each_program_in_the_folder_must_be_the_one_that_is_pinned(space: WorkspaceFolder) -> None:
    assert refusals(space.open()) == []
    install(space.root / ".packer-plugins", program("1.3.0"), "1.3.0")
    (fault,) = refusals(space.open())
    assert fault.message == f"strict: the plugin {SOURCE} 1.3.0: pinned is 1.2.3"
    space.write(".packer-plugins/packer-plugin-venus", "")
    assert len(refusals(space.open())) == 2
    assert [one.version for one in seen(space.open())] == ["1.3.0", "1.2.3"]


def test_what_is_missing_is_seen_and_no_reason_to_refuse(space: WorkspaceFolder) -> None:
    for path in (space.root / ".packer-plugins" / SOURCE).iterdir():
        path.unlink()
    (one,) = seen(space.open())
    assert (one.path, one.problem) == ("", "version 1.2.3 is not installed")
    assert refusals(space.open()) == []


def test_without_strict_nothing_is_refused(space: WorkspaceFolder) -> None:
    install(space.root / ".packer-plugins", program(more="changed"))
    assert refusals(space.open()) != []
    settings = (space.root / "packer-hybrid.toml").read_text()
    space.write("packer-hybrid.toml", settings.replace("strict = true", "strict = false"))
    assert refusals(space.open()) == []
