"""Whoever changes images may be killed at any moment: no version is lost, and none is half there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

COMMON = """
import json, os, random, select, shutil, signal, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import images, state
from hybridcore.images import records, retiring, versions
from hybridcore.images.changing import assign
from hybridcore.images.known import Known
from hybridcore.images.names import Place, Reference
from hybridcore.workspace import open_workspace
from tests.support.images import BASE, PROD, WEB, Shelf
workspace = open_workspace({root!r})
shelf = Shelf(workspace)
dice = random.Random({seed})
ALL = (BASE, WEB, PROD)

def killed(act, longest):
    "Run in a child until it is killed at a random moment; give what it confirmed."
    ours, theirs = os.pipe()
    seed = dice.random()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        try:
            act(random.Random(seed), lambda said: os.write(theirs, (json.dumps(said) + chr(10)).encode()))
        finally:
            os._exit(0)
    os.close(theirs)
    select.select([], [], [], dice.random() * longest)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(pid, 0)
    said = b""
    while part := os.read(ours, 65536):
        said += part
    os.close(ours)
    return [json.loads(line) for line in said.decode().splitlines()]

def check(least):
    "Everything that the state names is whole; no number is lost; gives the newest of each image."
    known = Known(workspace, state.read(workspace=workspace))
    newest = {{}}
    for image in ALL:
        if image not in known.images():
            assert not least.get(image.key), (image, "is lost")
            continue
        newest[image.key] = known.newest(image)
        assert newest[image.key] >= least.get(image.key, 0), (image, newest, least)
        for number in range(1, known.newest(image) + 1):
            record = known.record(image, number)  # raises for one that is lost, cut or of another number
            for artifact in record["artifacts"]:
                for file in artifact["files"]:
                    if known.is_there(image, number):
                        path = workspace.root / file["path"]
                        assert path.stat().st_size == file["size"], (image, number, path)
        for name in known.entry(image).get("channels") or {{}}:
            number = known.channel(image, name)
            assert number is None or known.is_good(image, number), (image, name, number)
        kept = known.entry(image).get("holds") or {{}}
        assert all(known.is_there(image, int(number)) for number in kept), (image, kept)
    return newest
"""

CHANGES = (
    COMMON
    + """
for _ in range(3):
    shelf.build(BASE)
    shelf.build(WEB, parent=f"{{BASE}}@{{shelf.known().newest(BASE)}}")

def act(dice, confirm):
    while True:
        known = shelf.known()
        numbers = known.numbers(WEB)
        number = dice.choice(numbers)
        what = dice.choice(("promote", "prod", "revoke", "restore", "retire", "build", "rollback"))
        try:
            if what == "promote":
                assign(Reference(WEB, number), "stable", workspace=workspace)
            elif what == "prod":
                images.promote(Reference(WEB, number), Place("prod", "live"), workspace=workspace)
            elif what == "revoke":
                images.revoke(Reference(WEB, number), workspace=workspace, reason="a test")
            elif what == "restore":
                images.restore(Reference(WEB, number), workspace=workspace)
            elif what == "rollback":
                images.rollback(WEB, "stable", workspace=workspace)
            elif what == "retire":
                images.retire([], workspace=workspace)
            else:
                shelf.runs = iter(range(os.getpid() % 100000 * 1000, 10**9))
                shelf.build(WEB, parent=f"{{BASE}}@{{known.newest(BASE)}}")
        except images.ImagesError:
            pass  # it may not be promoted, or there is nothing to go back to
        confirm([what, {{image.key: shelf.known().newest(image) for image in shelf.known().images()}}])

least = {{}}
done = 0
for kill in range({kills}):
    confirmed = killed(act, 0.12)
    done += len(confirmed)
    if confirmed:
        least = {{**least, **confirmed[-1][1]}}
    least = check(least)
    with state.transaction(workspace=workspace) as data:  # the next writer brings it in order
        for image in ALL:
            versions.settle(data, workspace, image)
    least = check(least)
    for image in ALL:
        found = sorted(int(path.stem) for path in records.folder(workspace, image).glob("*.json"))
        assert found == list(range(1, least.get(image.key, 0) + 1)), (image, found, least)
images.retire([], workspace=workspace)
known = shelf.known()
for image in known.images():
    folder = workspace.images / image.env / image.target
    there = {{path.name for path in folder.iterdir() if not path.is_symlink()}}
    assert there >= known.runs(image), (image, "files are lost")
print(done, least.get(WEB.key, 0))
"""
)

MIGRATION = (
    COMMON
    + """
def act(dice, confirm):
    shelf.runs = iter(range(os.getpid() % 100000 * 1000, 10**9))
    while True:
        confirm(shelf.build(WEB))

built = 0
for kill in range({kills}):
    for folder in (workspace.state_dir, workspace.images):
        shutil.rmtree(folder, ignore_errors=True)
    shelf.build(WEB)
    data = json.loads(workspace.state_file.read_text())
    data["schema_version"] = 1
    del data["checksum"]
    for name in ("newest", "version"):
        del data["images"][WEB.key][name]
    workspace.state_file.write_text(json.dumps(data))
    shutil.rmtree(records.folder(workspace, WEB))
    run = data["images"][WEB.key]["run"]
    confirmed = killed(act, 0.03)
    built += bool(confirmed)
    check({{WEB.key: max(confirmed, default=1)}})
    assert shelf.known().record(WEB, 1)["run"] == run
    number = shelf.build(WEB)
    assert number in (max(confirmed, default=1) + 1, max(confirmed, default=1) + 2), (number, confirmed)
    assert records.read(workspace, WEB, 1)["run"] == run
    check({{WEB.key: number}})
print(built, {kills})
"""
)


def run(code: str, repository: Path, workspace: Workspace, kills: int) -> list[int]:
    script = code.format(repository=str(repository), root=str(workspace.root), kills=kills, seed=7)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return [int(word) for word in done.stdout.split()]


def test_kills_of_changes_lose_no_version(make_workspace, repository) -> None:
    space: WorkspaceFolder = make_workspace()
    done, newest = run(CHANGES, repository, space.open(), 200)
    assert done > 100  # the kills met changes at work
    assert newest > 5


def test_kills_of_a_migration_lose_no_version(make_workspace, repository) -> None:
    space: WorkspaceFolder = make_workspace()
    built, kills = run(MIGRATION, repository, space.open(), 100)
    assert 0 < built <= kills
