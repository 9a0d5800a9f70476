"""How fast files are read, against python-hcl2, and how much memory a large one takes.

The files are those below HYBRIDCORE_CORPUS; without it, those of this checkout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import hcl2
from measure import emit, in_turn

from hybridcore import hcl

ROOT = Path(__file__).resolve().parents[2]
LARGE = 10 * 1024 * 1024

# A process of its own, for memory that was used once is seldom given back.
MEMORY = """
import json, resource, sys
from hybridcore import hcl
hcl.loads("a = 1\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
body = hcl.load(sys.argv[1])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([1024 * (after - before), len(body.blocks)]))
"""


def sample() -> list[Path]:
    """The files to read."""
    folder = os.environ.get("HYBRIDCORE_CORPUS")
    return sorted(Path(folder).rglob("*.hcl") if folder else (ROOT / "templates").rglob("*.hcl"))


def values(body: hcl.Body) -> None:
    """Compute every constant, which python-hcl2 does while it reads."""
    for attribute in body.attributes.values():
        if attribute.constant:
            attribute.value  # noqa: B018
    for block in body.blocks:
        values(block.body)


def read_ours(texts: list[str], *, computed: bool = False) -> None:
    """Read all files with this project."""
    for text in texts:
        body = hcl.loads(text)
        if computed:
            values(body)


def read_theirs(texts: list[str]) -> None:
    """Read all files with python-hcl2."""
    for text in texts:
        hcl2.loads(text)


def memory_of(texts: list[str], folder: Path) -> tuple[int, int]:
    """The memory that reading a large file takes, and the size of the file, both in bytes."""
    path = folder / "large.hcl"
    number = size = 0
    with open(path, "w", encoding="utf-8") as file:
        while size < LARGE:
            # In a block each, for an attribute may stand in a file once.
            size += file.write(f"part_{number} {{\n{texts[number % len(texts)]}\n}}\n")
            number += 1
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    used, blocks = json.loads(done.stdout)
    assert blocks == number
    return used, path.stat().st_size


def main() -> None:
    """Print the rows."""
    texts = [path.read_text("utf-8-sig") for path in sample()]
    megabytes = sum(map(len, texts)) / 1e6
    what = f"{len(texts)} files, {megabytes:.1f} MB"
    ours, theirs = in_turn(lambda: read_ours(texts), lambda: read_theirs(texts), rounds=2)
    emit(f"hcl: read {what}, against python-hcl2", ours, theirs, "<= 0.1")
    ours, _ = in_turn(lambda: read_ours(texts, computed=True), lambda: None, rounds=3)
    emit(f"hcl: read {what} and compute constants, against python-hcl2", ours, theirs, "<= 0.1")
    with tempfile.TemporaryDirectory() as folder:
        used, size = memory_of(texts, Path(folder))
    emit("hcl: memory for a file of 10 MB (MB, against its size)", used / 1e6, size / 1e6, "<= 20")


if __name__ == "__main__":
    main()
