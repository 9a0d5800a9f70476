"""Fixtures that every test may use: real programs, simulators, stand-in programs, workspaces and Ansible.

Simulators listen on 127.0.0.1, on a port that the system chose, and end with their fixture.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from hybridcore.workspace import Workspace
from tests.support.playbooks import Ansible
from tests.support.programs import FakePacker, FakeProgram
from tests.support.signals import ignored_of, let_children_hear
from tests.support.simulators import Fakepve, Vcsim, start_fakepve, start_vcsim
from tests.support.tools import Tools, build_tools
from tests.support.workspaces import WorkspaceFolder

REPOSITORY = Path(__file__).resolve().parent.parent

# A busy machine is no fault of the code: hypothesis must not fail an example for being slow.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


# What was ignored when the tests were started. A worker of pytest-xdist hears of it from who started it.
IGNORED = sorted(ignored_of(os.getpid()))


def pytest_configure(config: pytest.Config) -> None:
    """Let the programs that tests start hear every signal that tests send."""
    let_children_hear(getattr(config, "workerinput", {}).get("ignored", IGNORED))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what was ignored before we let it hear."""
    node.workerinput["ignored"] = IGNORED


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout, which is the collection and an example workspace."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them, and no Packer calls home."""
    for name in list(os.environ):
        if name.startswith(("PKR_VAR_", "PACKER_", "ANSIBLE_")) or name == "HYBRIDCORE_WORKSPACE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Packer 1.9.4, its external plugins and vcsim, built once and kept in the user's cache."""
    return build_tools()


@pytest.fixture(scope="session")
def packer_debian() -> Path:
    """Debian's Packer, 1.6.6."""
    found = shutil.which("packer")
    assert found, "Debian's packer is not installed: run scripts/setup-test.sh"
    return Path(found)


@pytest.fixture(params=["1.6.6", "1.9.4"])
def any_packer(request: pytest.FixtureRequest) -> Path:
    """Each of the two Packer versions in turn."""
    if request.param == "1.6.6":
        found: Path = request.getfixturevalue("packer_debian")
        return found
    tools: Tools = request.getfixturevalue("tools")
    return tools.packer


@pytest.fixture(scope="session")
def vcsim(tools: Tools) -> Iterator[Vcsim]:
    """VMware's simulator of vSphere; `templates()` says what builds have left in it."""
    with start_vcsim(tools.vcsim) as server:
        yield server


@pytest.fixture
def fakepve(tmp_path: Path) -> Iterator[Fakepve]:
    """A simulator of Proxmox VE with one template, 9000; a fresh one for each test."""
    with start_fakepve(tmp_path) as server:
        yield server


@pytest.fixture
def fake_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], FakeProgram]:
    """Put a program on PATH that plays a part and records how it was called: `fake_program("git")`."""
    folder = tmp_path / "fake-bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return lambda name: FakeProgram(folder, name)


@pytest.fixture
def fake_packer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePacker:
    """A Packer on PATH that plays a part; it knows `version` from the start."""
    folder = tmp_path / "fake-packer"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return FakePacker(folder)


@pytest.fixture
def make_workspace(tmp_path: Path) -> Callable[..., WorkspaceFolder]:
    """Make a workspace below `tmp_path`: `make_workspace()` or `make_workspace("name")`."""
    return lambda name="workspace": WorkspaceFolder.create(tmp_path / name)


@pytest.fixture
def workspace(make_workspace: Callable[..., WorkspaceFolder]) -> Workspace:
    """An empty workspace, opened."""
    return make_workspace().open()


@pytest.fixture(scope="session")
def collections_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for ANSIBLE_COLLECTIONS_PATH in which hybridcore.packer is this checkout."""
    root = tmp_path_factory.mktemp("collections")
    namespace = root / "ansible_collections" / "hybridcore"
    namespace.mkdir(parents=True)
    (namespace / "packer").symlink_to(REPOSITORY)
    return root


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as a file, as `make dist` makes it."""
    root = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [REPOSITORY / "scripts" / "dist.sh", root],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    (made,) = root.glob("hybridcore-packer-*.tar.gz")
    return made


@pytest.fixture(scope="session")
def installed_collections(tmp_path_factory: pytest.TempPathFactory, artifact: Path) -> Path:
    """A folder for ANSIBLE_COLLECTIONS_PATH with the artifact installed, as a user has it."""
    root = tmp_path_factory.mktemp("installed")
    ansible = Ansible(root / "collections", home=root / "ansible-home")
    installed = ansible.run(
        "ansible-galaxy",
        *("collection", "install", "--offline", "-p", root / "collections", artifact),
        cwd=root,
    )
    assert installed.returncode == 0, installed.stdout
    return root / "collections"


@pytest.fixture
def ansible(collections_path: Path, tmp_path: Path) -> Ansible:
    """Run Ansible's programs with this collection: `ansible.playbook(file, "-e", "x=1", cwd=folder)`."""
    return Ansible(collections_path, home=tmp_path / "ansible-home")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real Packer projects and recorded output, where HYBRIDCORE_CORPUS names them."""
    named = os.environ.get("HYBRIDCORE_CORPUS")
    if not named:
        pytest.skip("HYBRIDCORE_CORPUS is not set: it names the folder of recorded Packer output")
    return Path(named)


@pytest.fixture(scope="session")
def python_bare() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a fresh interpreter that sees the checkout and the standard library, nothing else."""

    def run(code: str) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{code}"
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture(scope="module", autouse=True)
def closed_logs() -> Iterator[None]:
    """Let go the shared logs of a module's workspaces, so that tests of limits find few files open."""
    yield
    logs = sys.modules.get("hybridcore.logs")
    if logs is not None:
        for handler in logs._handlers.values():
            handler.close()
        logs._handlers.clear()
        logs._loggers.clear()
