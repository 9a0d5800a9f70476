"""Many processes on one rolling log: no line is lost, torn or doubled."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

WRITERS = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import logs
from hybridcore.settings import Settings
from hybridcore.workspace import Workspace
settings = Settings(logs_max_bytes={max_bytes}, logs_backup_count=5000, logs_format={format!r})
workspace = Workspace(Path({root!r}), settings)
# The log is open before the fork, as in a program that logs and then starts workers.
logger = logs.get_logger("writer", workspace=workspace)
logger.info("writer {writers} line 0 ")
children = []
for number in range({writers}):
    pid = os.fork()
    if pid == 0:
        for step in range({lines}):
            logger.info("writer %d line %d %s", number, step, "x" * (step * 7 % 50))
        os._exit(0)
    children.append(pid)
print(sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0 for pid in children))
"""

KILLS = """
import os, random, select, signal, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import logs
from hybridcore.settings import Settings
from hybridcore.workspace import Workspace
workspace = Workspace(Path({root!r}), Settings(logs_max_bytes=500, logs_backup_count=100000))
logger = logs.get_logger("writer", workspace=workspace)
dice = random.Random(7)
for kill in range({kills}):
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        step = 0
        while True:
            logger.info("writer %d line %d", kill, step)
            os.write(theirs, b".")
            step += 1
    os.close(theirs)
    select.select([], [], [], dice.random() * 0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    confirmed = 0
    while part := os.read(ours, 65536):
        confirmed += len(part)
    os.close(ours)
    print(confirmed)
"""


def files_oldest_first(folder):
    def number(path):
        found = re.search(r"\.log\.(\d+)$", path.name)
        return int(found[1]) if found else 0

    return sorted((folder / "logs").iterdir(), key=number, reverse=True)


@pytest.mark.parametrize("form", ["text", "json"])
def test_16_processes_with_20000_lines_each(tmp_path, repository, form):
    code = WRITERS.format(
        repository=str(repository),
        root=str(tmp_path),
        writers=16,
        lines=20_000,
        max_bytes=200_000,
        format=form,
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0", done.stderr
    assert done.stderr == ""
    line = {
        "text": r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] INFO writer: writer (\d+) line (\d+) (x*)",
        "json": r'\{"time": "[^"]{24}", "level": "INFO", "component": "writer",'
        r' "message": "writer (\d+) line (\d+) (x*)"\}',
    }[form]
    shape = re.compile(line)
    files = files_oldest_first(tmp_path)
    assert len(files) > 50
    next_line = [0] * 17
    for file in files:
        assert file.stat().st_size <= 200_000
        for text in file.read_text().splitlines():
            found = shape.fullmatch(text)
            assert found, text
            writer, step = int(found[1]), int(found[2])
            assert step == next_line[writer]  # none lost, none twice, in order
            assert len(found[3]) == step * 7 % 50
            next_line[writer] += 1
    assert next_line == [20_000] * 16 + [1]


def test_killed_writers_leave_whole_lines(tmp_path, repository):
    code = KILLS.format(repository=str(repository), root=str(tmp_path), kills=200)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    confirmed = [int(text) for text in done.stdout.split()]
    written = [0] * len(confirmed)
    for file in files_oldest_first(tmp_path):
        for text in file.read_text().splitlines():
            found = re.fullmatch(r"\[[^\]]{24}\] INFO writer: writer (\d+) line (\d+)", text)
            assert found, text
            assert int(found[2]) == written[int(found[1])]
            written[int(found[1])] += 1
    assert sum(confirmed) > 1000
    # What a writer knew to be written is there, and at most the line that it was killed at.
    assert all(count in (known, known + 1) for known, count in zip(confirmed, written, strict=True))
