"""Disks that are full, read-only, forbidden or without locks: a clear error, and the old state intact."""

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

START = """
import errno, os, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import state
from hybridcore.errors import LockError, StateError
from hybridcore.state import repairing
from hybridcore.workspace import Workspace
root = Path({root!r})
workspace = Workspace(root)

def change(value):
    with state.transaction(workspace=workspace) as data:
        data["plugins"]["x"] = value

def refused(value):
    before = workspace.state_file.read_bytes()
    try:
        change(value)
    except StateError as error:
        assert not isinstance(error, LockError)
        assert workspace.state_file.read_bytes() == before
        assert not list(workspace.state_dir.glob("*.tmp"))
        return str(error)
    raise SystemExit("it was written")
"""


@pytest.fixture
def run(repository, tmp_path):
    """Run code in a process of its own; the workspace is below a folder that anybody may enter."""

    def run_code(code, *, before=(), root=tmp_path):
        start = START.format(repository=str(repository), root=str(root))
        return subprocess.run(
            [*before, sys.executable, "-c", start + code],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run_code


@pytest.fixture
def own_mounts():
    """What lets a program mount file systems that nobody else sees, and that go when it ends."""
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    allowed = shutil.which("unshare") and subprocess.run(
        [*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    if not allowed or allowed.returncode != 0:
        pytest.skip("this machine allows no mounts, not even in a namespace")
    return command


def test_full_disk(run, own_mounts, tmp_path):
    mount = [*own_mounts, "sh", "-c", f'mount -t tmpfs -o size=256k none {tmp_path} && exec "$0" "$@"']
    done = run(
        """
change("old")
change("older copy")
with open(root / "filler", "wb", buffering=0) as filler:
    try:
        while filler.write(b"x" * 4096):
            pass
    except OSError as error:
        assert error.errno == errno.ENOSPC
print(refused("new" * 2000))
os.unlink(root / "filler")
change("new")
assert state.read(workspace=workspace)["plugins"] == {"x": "new"}
""",
        before=mount,
    )
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout
    assert "the disk is full: free some space and run it again" in done.stdout
    assert "what was there is unchanged" in done.stdout


def test_disk_that_fills_before_the_first_write(run, own_mounts, tmp_path):
    mount = [*own_mounts, "sh", "-c", f'mount -t tmpfs -o size=64k none {tmp_path} && exec "$0" "$@"']
    done = run(
        """
(root / "filler").write_bytes(b"x" * 65536)
try:
    change("x")
except StateError as error:
    print(error)
assert not workspace.state_file.exists()
""",
        before=mount,
    )
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout


def test_file_system_mounted_read_only(run, own_mounts, tmp_path):
    mount = [*own_mounts, "sh", "-c", f'mount -t tmpfs none {tmp_path} && exec "$0" "$@"']
    done = run(
        """
import subprocess
change("old")
subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
print(refused("new"))
print(state.read(workspace=workspace)["plugins"])
""",
        before=mount,
    )
    assert done.returncode == 0, done.stderr
    assert "Read-only file system" in done.stdout
    assert "{'x': 'old'}" in done.stdout


@pytest.fixture
def public_folder():
    """A folder that a process without rights can reach, unlike pytest's own."""
    folder = f"/tmp/hybridcore-state-{os.getpid()}"
    os.mkdir(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


FORBIDDEN = """
change("old")
{forbid}
if os.geteuid() == 0:  # root may do anything: go on as somebody who may not
    os.setgid(65534)
    os.setuid(65534)
{then}
"""


@pytest.mark.parametrize(
    ("forbid", "then", "message"),
    [
        ("workspace.state_dir.chmod(0o555)", "print(refused('new'))", "Permission denied"),
        (
            "workspace.state_dir.chmod(0o555); (workspace.state_dir / 'packer-hybrid.lock').chmod(0o666)",
            "print(refused('new'))",
            "the folder state/ must be writable for whoever builds",
        ),
        (
            "workspace.state_dir.chmod(0o777); (workspace.state_dir / 'packer-hybrid.lock').chmod(0o600)",
            "print(refused('new'))",
            "this file must be writable for whoever builds",
        ),
        (
            "workspace.state_file.chmod(0)",
            "try: state.read(workspace=workspace)\nexcept StateError as error: print(error)",
            "packer-hybrid.json: cannot read it: Permission denied",
        ),
        (
            "workspace.state_dir.chmod(0)",
            "try: state.read(workspace=workspace)\nexcept StateError as error: print(error)",
            "packer-hybrid.json: cannot read it: Permission denied",
        ),
    ],
    ids=["write-folder", "write-file", "lock", "read-file", "read-folder"],
)
def test_no_permission(run, public_folder, forbid, then, message):
    if "lock').chmod(0o600)" in forbid and os.geteuid() != 0:
        pytest.skip("a file of somebody else can only be made by root")
    done = run(FORBIDDEN.format(forbid=forbid, then=then), root=public_folder)
    assert done.returncode == 0, done.stderr
    assert message in done.stdout


def test_owner_is_kept_when_root_writes_for_once(run, public_folder):
    if os.geteuid() != 0:
        pytest.skip("only root may write for somebody else")
    done = run(
        """
change("old")
os.chown(workspace.state_file, 65534, 65534)
change("new")
status = workspace.state_file.stat()
print(status.st_uid, status.st_gid)
""",
        root=public_folder,
    )
    assert done.stdout.split() == ["65534", "65534"], done.stderr


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP"])
def test_kernel_that_refuses_locks(run, error):
    done = run(
        """
try:
    change("x")
except StateError as error:
    assert not isinstance(error, LockError)
    print(error)
assert not workspace.state_file.exists()
""",
        before=["strace", "-qq", "-o", "/dev/null", "-e", f"inject=flock:error={error}"],
    )
    assert done.returncode == 0, done.stderr
    assert "this file system has no locks" in done.stdout


def test_file_system_without_hard_links(run):
    done = run(
        """
change("old")
change("new")
copy = workspace.state_dir / "packer-hybrid.json.bak"
print(b'"old"' in copy.read_bytes(), copy.stat().st_nlink)
""",
        before=["strace", "-qq", "-o", "/dev/null", "-e", "inject=link,linkat:error=EPERM"],
    )
    assert done.stdout.split() == ["True", "1"], done.stderr
