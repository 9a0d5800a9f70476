"""The real image: built by build-images.yml, and by Packer alone, then booted and looked into.

The base disk and the image of the playbook are kept in the user's cache, in a workspace of their own, by
their fingerprints. So they are made again when something changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from hybridcore import state
from hybridcore.images import packages
from hybridcore.images.known import Known
from hybridcore.images.names import Image
from hybridcore.workspace import open_workspace
from tests.support.commands import to_its_end
from tests.support.files import written_as
from tests.support.playbooks import Ansible
from tests.support.tools import Tools

pytestmark = pytest.mark.e2e

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybridcore-packer"
TARGET = "linux/qemu/debian-12"
DISK = "linux/null/debian-12-base"


@pytest.fixture(scope="session")
def session_ansible(collections_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(collections_path, home=tmp_path_factory.mktemp("ansible-home"))


@pytest.fixture(scope="session")
def space(repository: Path) -> Path:
    """A workspace in the cache with the templates and overlays of the checkout."""
    folder = CACHE / "e2e"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("templates", "environments"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(repository / name, folder / name)
    shutil.copy(repository / "packer-hybrid.toml", folder)
    return folder


@pytest.fixture(scope="session")
def make_image(
    session_ansible: Ansible, repository: Path, space: Path
) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Run what `make image` runs, for the workspace in the cache."""

    def run() -> subprocess.CompletedProcess[str]:
        return session_ansible.playbook(
            repository / "playbooks/build-images.yml",
            *("-e", json.dumps({"targets": [TARGET]})),
            cwd=repository,
            env={"HYBRIDCORE_WORKSPACE": str(space)},
        )

    return run


@pytest.fixture(scope="session")
def image(make_image: Callable[[], subprocess.CompletedProcess[str]], space: Path) -> dict[str, object]:
    """What the state says of the image of the playbook."""
    done = make_image()
    assert done.returncode == 0, done.stdout
    return remembered(space, TARGET)


def remembered(space: Path, target: str) -> dict[str, object]:
    """What the state says of an image."""
    state = json.loads((space / "state/packer-hybrid.json").read_text())
    entry: dict[str, object] = state["images"][f"dev/{target}"]
    return entry


@pytest.fixture(scope="session")
def base_image(image: dict[str, object], space: Path) -> dict[str, str]:
    """The base disk, which was built with the image: the two variables that the template is told."""
    path = file_of(remembered(space, DISK), space)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(image["inputs"][f"parent {DISK}"]).endswith(f" sha256:{digest}")  # type: ignore[index]
    return {"base_image": str(path), "base_image_checksum": f"sha256:{digest}"}


def file_of(image: dict[str, object], space: Path) -> Path:
    """The one disk of an image."""
    (file,) = (file for artifact in image["artifacts"] for file in artifact["files"])  # type: ignore[attr-defined]
    return space / file["path"]


@pytest.fixture(scope="session")
def verify_image(repository: Path) -> ModuleType:
    """The program of the role verify, as a module."""
    path = repository / "roles/verify/files/verify_image.py"
    spec = importlib.util.spec_from_file_location("verify_image", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_image"] = module
    spec.loader.exec_module(module)
    return module


def options_for(image: Path, *expect: str) -> Namespace:
    return Namespace(
        image=image, expect=list(expect), firmware="/usr/share/ovmf/OVMF.fd", memory=1024, port=0, timeout=600
    )


def test_the_image_of_the_playbook_is_sound_verified_and_recorded(
    image: dict[str, object], space: Path
) -> None:
    path = file_of(image, space)
    subprocess.run(["qemu-img", "check", "-q", str(path)], check=True)
    assert path.is_relative_to(space / "images/dev" / TARGET)
    report = json.loads(Path(f"{path}.verified").read_text())
    assert len(report["checks"]) == 9
    assert [check for check in report["checks"] if check["problem"]] == []
    (log,) = [space / str(image["log_path"])]
    assert "Set the kernel parameters" in log.read_text()


def test_what_is_installed_in_the_image_is_known(image: dict[str, object], space: Path) -> None:
    known = Known(open_workspace(space), state.read(workspace=open_workspace(space)))
    found = packages.read(known, Image("dev", TARGET), int(str(image["version"])))
    assert {"openssh-server", "systemd", "dpkg"} <= {one.name for one in found.packages}
    assert (found.kind, found.system, found.release) == ("deb", "debian", "12")
    assert found.mirrors


def test_a_second_run_builds_nothing_and_says_so(
    image: dict[str, object], make_image: Callable[[], subprocess.CompletedProcess[str]], space: Path
) -> None:
    path = file_of(image, space)
    before = written_as(path)
    again = make_image()
    assert again.returncode == 0, again.stdout
    assert "unchanged" in again.stdout
    assert "changed=0" in again.stdout
    assert written_as(path) == before


def test_an_image_that_is_not_sealed_is_found_out(
    base_image: dict[str, str], verify_image: ModuleType
) -> None:
    """The bare base disk comes up too, and is no image: nobody wrote down what it is, or closed it."""
    path = Path(base_image["base_image"])
    checks = verify_image.verify(options_for(path, f"TARGET={TARGET}"), deadline=time.monotonic() + 600)
    problems = {check.name: check.problem for check in checks if check.problem}
    assert problems["/etc/image-release says what the state says"] == f"TARGET is None, not '{TARGET}'"
    assert "does not say which key" in problems["the key of the build is not in the image"]
    assert "password" in problems["a stranger is refused, and a password is not asked for"]


@pytest.fixture
def by_hand(repository: Path, base_image: dict[str, str], tools: Tools, tmp_path: Path) -> tuple[Path, Path]:
    """The template built by Packer 1.9.4 and its plugins alone: the disk and the build's key."""
    shutil.copytree(repository / "templates", tmp_path / "templates")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    folder = tmp_path / "templates" / TARGET
    done = to_its_end(
        [
            tools.packer,
            "build",
            "-color=false",
            *(f"-var={name}={text}" for name, text in base_image.items()),
            ".",
        ],
        cwd=folder,
        env=os.environ
        | {
            "PACKER_PLUGIN_PATH": str(tools.plugins),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PKR_VAR_hybridcore_ssh_private_key_file": str(key),
            "PKR_VAR_hybridcore_ssh_public_key": key.with_suffix(".pub").read_text().strip(),
            "PKR_VAR_users": json.dumps(
                [{"name": "ops", "ssh_keys": ["ssh-ed25519 AAAA ops"], "sudo": True}]
            ),
            "PKR_VAR_sysctl": '{"kernel.dmesg_restrict": "1"}',
        },
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return folder / "output/debian-12.qcow2", key


def test_packer_alone_builds_the_same_image_and_its_key_is_refused(
    by_hand: tuple[Path, Path], verify_image: ModuleType, tmp_path: Path
) -> None:
    disk, build_key = by_hand
    deadline = time.monotonic() + 900
    checks = verify_image.verify(options_for(disk, f"TARGET={TARGET}"), deadline=deadline)
    assert {check.name: check.problem for check in checks if check.problem} == {}

    own = verify_image.make_key(tmp_path / "own")
    with verify_image.boot(options_for(disk), tmp_path, own) as machine:
        verify_image.wait_for_ssh(machine, deadline)
        refused = verify_image.ssh(machine, build_key, "true", deadline)
        assert refused.returncode == 255
        assert "Permission denied (publickey)" in refused.stderr
        inside = verify_image.ssh(
            machine,
            own,
            "cat /home/ops/.ssh/authorized_keys; sudo -u ops sudo -n id -u; cat /etc/hostname; "
            "sysctl -n kernel.dmesg_restrict; df --output=size -BG / | tail -1",
            deadline,
        )
    assert inside.returncode == 0, inside.stderr
    lines = inside.stdout.splitlines()
    assert "ssh-ed25519 AAAA ops" in lines
    # Root by sudo, the host name, the parameter; and the file system fills the 8 GiB of the disk.
    assert [line.strip() for line in lines[-4:]] == ["0", "debian", "1", "8G"]
