"""Two users on one workspace, and logs on a disk that is full."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builds import state_of, wait_for
from tests.support.programs import SUCCESS, FakePacker
from tests.support.workspaces import WorkspaceFolder

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two other users"),
]

ONE, OTHER = 65_533, 65_534
A, B = "linux/null/a", "linux/null/b"
UMASK = 0o002


@pytest.fixture
def house(repository: Path) -> Iterator[Path]:
    """A folder that anybody may enter, with the core and a stand-in for Packer, which may lie elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="two-users-"))
    folder.chmod(0o755)
    shutil.copytree(
        repository / "hybridcore", folder / "core" / "hybridcore", ignore=shutil.ignore_patterns("*.pyc")
    )
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def packer(house: Path) -> FakePacker:
    (house / "bin").mkdir()
    made = FakePacker(house / "bin")
    made.answer("build", stdout=SUCCESS)
    made.path.write_text(made.path.read_text().replace(sys.executable, os.path.realpath(sys.executable), 1))
    (house / "bin" / "packer.calls.jsonl").touch()
    (house / "bin" / "packer.calls.jsonl").chmod(0o666)
    return made


@pytest.fixture
def space(house: Path) -> WorkspaceFolder:
    """A workspace that the group of both users may write to, as a shared one has it."""
    made = WorkspaceFolder.create(house / "workspace")
    for target in (A, B):
        made.null(target)
    for path in [made.root, *made.root.rglob("*")]:
        os.chown(path, ONE, OTHER)
        path.chmod(0o2775 if path.is_dir() else 0o664)
    return made


def command(house: Path, space: WorkspaceFolder, *arguments: str) -> list[str]:
    start = (
        f"import sys; sys.path.insert(0, {str(house / 'core')!r}); from hybridcore.cli import main; main()"
    )
    code = start.replace("main()", "sys.exit(main(sys.argv[1:]))")
    python = os.path.realpath(sys.executable)
    return [python, "-I", "-B", "-c", code, "--workspace", str(space.root), *arguments]


def start(
    user: int, house: Path, space: WorkspaceFolder, *arguments: str, home: str = "/nonexistent"
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(house, space, *arguments),
        user=user,
        group=OTHER,
        extra_groups=[],
        umask=UMASK,
        cwd=house,
        env={"PATH": f"{house / 'bin'}:/usr/bin:/bin", "HOME": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def run(user: int, house: Path, space: WorkspaceFolder, *arguments: str) -> tuple[int, dict[str, Any], str]:
    with start(user, house, space, "--json", *arguments) as child:
        out, err = child.communicate(timeout=60)
    return child.returncode, json.loads(out), err


def test_two_users_take_turns(house: Path, space: WorkspaceFolder, packer: FakePacker) -> None:
    for user in (ONE, OTHER, ONE):
        code, said, err = run(user, house, space, "build", "--env", "dev", "--force", A)
        assert (code, said["status"]) == (0, "built"), err
    assert run(OTHER, house, space, "build", "--env", "dev", A)[1]["status"] == "unchanged"


@pytest.fixture
def dead(house: Path, space: WorkspaceFolder, packer: FakePacker) -> Callable[[int], str]:
    """`dead(user)`: leave a run of that user that died with all its processes; gives its id."""

    def kill(user: int) -> str:
        packer.answer("build", code="import time\ntime.sleep(300)")
        (house / "bin" / "packer.answers.json").chmod(0o644)
        with start(user, house, space, "build", "--env", "dev", A) as child:
            wait_for(
                lambda: any("--help" not in call.argv for call in packer.calls_of("build")),
                "the build begins",
            )
            ((run_id, entry),) = state_of(space)["running"].items()
            build = packer.calls[-1].pid
            for pid in (child.pid, entry["pid"]):
                os.kill(pid, signal.SIGSTOP)
            for pid in (child.pid, entry["pid"], build):
                os.kill(pid, signal.SIGKILL)
            child.communicate(timeout=60)
        packer.answer("build", stdout=SUCCESS)
        return run_id

    return kill


def test_a_dead_run_of_another_user_stays_and_stops_nobody(
    house: Path, space: WorkspaceFolder, packer: FakePacker, dead: Callable[[int], str]
) -> None:
    run_id = dead(ONE)
    folder = space.root / "images" / ".runs" / run_id
    assert folder.stat().st_mode & 0o777 == 0o700
    code, said, err = run(OTHER, house, space, "build", "--env", "dev", A, B)
    assert (code, said["status"]) == (0, "built"), err
    assert f"run {run_id} of the user with the id {ONE} was interrupted" in err
    assert list(state_of(space)["running"]) == [run_id]
    assert folder.is_dir()
    code, said, err = run(ONE, house, space, "build", "--env", "dev", A, B)
    assert (code, said["status"]) == (0, "unchanged"), err
    assert f"run {run_id} was interrupted; what it left was removed" in err
    assert state_of(space)["running"] == {}
    assert not folder.exists()


def test_a_run_that_the_state_does_not_know_is_removed_by_its_user_alone(
    house: Path, space: WorkspaceFolder, packer: FakePacker, dead: Callable[[int], str]
) -> None:
    run_id = dead(ONE)
    file = space.root / "state" / "packer-hybrid.json"
    file.write_text(json.dumps({**state_of(space), "running": {}}))
    folder = space.root / "images" / ".runs" / run_id
    assert run(OTHER, house, space, "build", "--env", "dev", A)[0] == 0
    assert folder.is_dir()
    assert run(ONE, house, space, "build", "--env", "dev", A)[0] == 0
    assert not folder.exists()


def test_what_belongs_to_the_other_costs_its_own_target_alone(
    house: Path, space: WorkspaceFolder, packer: FakePacker
) -> None:
    assert run(ONE, house, space, "build", "--env", "dev", A, B)[0] == 0
    lock = space.root / "state/locks/dev@linux@null@a.lock"
    lock.chmod(0o600)
    code, said, err = run(OTHER, house, space, "build", "--env", "dev", "--force", A, B)
    assert code == 3, err
    failed, built = said["results"]
    assert (failed["status"], built["status"]) == ("failed", "built")
    assert "cannot open the lock: Permission denied" in failed["errors"][0]


def test_old_logs_that_the_other_may_not_remove_are_a_warning(
    house: Path, space: WorkspaceFolder, packer: FakePacker
) -> None:
    space.write("packer-hybrid.toml", "[logs]\nkeep_builds = 1\n")
    assert run(ONE, house, space, "build", "--env", "dev", A)[0] == 0
    (space.root / "logs/builds/dev" / A).chmod(0o3775)
    code, said, err = run(OTHER, house, space, "build", "--env", "dev", "--force", A, B)
    assert code == 0, err
    assert [len(result["warnings"]) for result in said["results"]] == [1, 0]
    assert said["results"][0]["warnings"][0].startswith("old logs and images stay: ")


def test_a_full_disk_under_the_logs_costs_logs_alone(
    house: Path, space: WorkspaceFolder, packer: FakePacker
) -> None:
    """On a file system of 64 KB, of which the builds print more."""
    printed = "".join(f"1605862346,,ui,say,line {number} {'=' * 200}\n" for number in range(2000))
    packer.answer("build", stdout=printed + SUCCESS)
    logs = space.root / "logs"
    logs.mkdir()
    mounted = f'mount -t tmpfs -o size=64k,mode=2777 tmpfs "{logs}" && exec "$@"'
    build = command(house, space, "--json", "build", "--env", "dev", "--quiet", A, B)
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, "sh", *build],
        env={"PATH": f"{house / 'bin'}:/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    results = json.loads(ended.stdout)["results"]
    assert [result["status"] for result in results] == ["built", "built"]
    warnings = [text for result in results for text in result["warnings"]]
    assert set(warnings) == {"the log is not complete: No space left on device"}
    assert ended.stderr.count("warning: cannot write ") == 1
    assert [image["status"] for image in state_of(space)["images"].values()] == ["built", "built"]
