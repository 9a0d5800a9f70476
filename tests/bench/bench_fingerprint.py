"""The fingerprint of a target with 1,000 asset files of 100 MB together, against the plain tools.

Both rows measure what a build does for its plan: the digests are loaded, every input is looked at, and what
was learnt is saved. First: against one `sha256sum` over the same files, which are in the page cache for both.
Again with nothing changed: against a loop of `os.stat` over the paths in this same process, which knows them
beforehand; not against the program `stat`, whose start and printing would count for us.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from measure import emit, in_turn, run_quietly

from hybridcore.packer.planning.fingerprint import Digests, fingerprint, tree_digest
from hybridcore.workspace import Workspace

FILES, SIZE = 1_000, 100_000
FOLDERS = 50
FIRST_ROUNDS, AGAIN_ROUNDS = 7, 101
# On the disk of the checkout: a folder for temporary files is often no disk at all.
HERE = Path(__file__).resolve().parent


def make_assets(folder: Path) -> list[str]:
    """Roles with 20 files each; their paths."""
    paths = []
    for number in range(FILES):
        path = folder / "roles" / f"role-{number % FOLDERS:02}" / "files" / f"file-{number:04}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SIZE))
        paths.append(str(path))
    return paths


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        workspace = Workspace(Path(name))
        folder = workspace.templates / "ansible"
        paths = make_assets(folder)

        def ours() -> str:
            digests = Digests(workspace)
            mark = fingerprint({"templates/ansible": tree_digest(digests.tree(folder))})
            digests.save()
            return mark

        def ours_first() -> None:
            shutil.rmtree(workspace.state_dir, ignore_errors=True)
            ours()

        def stats() -> None:
            for path in paths:
                os.stat(path)

        before = ours()
        assert ours() == before
        row = f"fingerprint, {FILES:,} files of {FILES * SIZE / 1e6:.0f} MB: "
        first = in_turn(ours_first, lambda: run_quietly(["sha256sum", *paths]), rounds=FIRST_ROUNDS)
        emit(row + "first; sha256sum", *first, "<= 1.3")
        ours()
        again = in_turn(lambda: None if ours() == before else exit(1), stats, rounds=AGAIN_ROUNDS)
        emit(row + "again; os.stat of each", *again, "<= 3")


if __name__ == "__main__":
    main()
