"""Many writers at once: no update is lost."""

import subprocess
import sys

import pytest

from hybridcore import state
from hybridcore.workspace import Workspace

pytestmark = pytest.mark.integration

WRITERS = """
import os, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import state
from hybridcore.settings import Settings
from hybridcore.workspace import Workspace
workspace = Workspace(Path({root!r}), Settings(lock_timeout=500))
children = []
for number in range({writers}):
    pid = os.fork()
    if pid == 0:
        name = f"dev/linux/null/w{{number}}"
        for step in range({steps}):
            with state.transaction(workspace=workspace, command=f"writer {{number}}") as data:
                data["plugins"]["total"] = str(int(data["plugins"].get("total", "0")) + 1)
                image = data["images"].setdefault(
                    name, {{"target": name[4:], "environment": "dev", "inputs": {{"count": "0"}}}}
                )
                image["inputs"]["count"] = str(int(image["inputs"]["count"]) + 1)
        os._exit(0)
    children.append(pid)
print(sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0 for pid in children))
"""


def test_32_processes_with_200_transactions_each_lose_nothing(tmp_path, repository):
    code = WRITERS.format(repository=str(repository), root=str(tmp_path), writers=32, steps=200)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0", done.stderr
    data = state.read(workspace=Workspace(tmp_path))
    assert data["plugins"]["total"] == str(32 * 200)
    assert {key: image["inputs"]["count"] for key, image in data["images"].items()} == {
        f"dev/linux/null/w{number}": "200" for number in range(32)
    }
    assert not list((tmp_path / "state").glob("*.tmp"))
