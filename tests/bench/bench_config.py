"""Rendering the configuration of 200 targets in one call, against 200 copies of the rendered files.

The copies of the first row are as safe as ours: a temporary file, flushed to disk, renamed. Those of the
other rows are plain: `shutil.copyfile`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from measure import emit

from hybridcore.config import generate_env_config
from hybridcore.workspace import Workspace

TARGETS = 200
ROUNDS = 7
TEMPLATE = """\
variable "cpus" {{
  type    = number
  default = 2
}}

variable "memory" {{
  type        = number
  description = "MiB"
}}

variable "tags" {{
  type    = map(string)
  default = {{ image = "{name}" }}
}}

variable "packages" {{
  type = list(string)
}}

variable "disk" {{
  type = object({{ size = string, ssd = bool }})
}}

variable "hostname" {{
  type = string

  validation {{
    condition     = length(var.hostname) > 3
    error_message = "The hostname needs more than three letters."
  }}
}}

variable "token" {{
  type      = string
  sensitive = true
}}

source "null" "{name}" {{
  communicator = "none"
}}

build {{
  sources = ["source.null.{name}"]

  provisioner "shell-local" {{
    inline = ["echo ${{var.hostname}} ${{var.cpus}}"]
  }}
}}
"""


def make(root: Path) -> Workspace:
    """A workspace with 200 different templates and overlays on every level."""
    root.mkdir()
    (root / "packer-hybrid.toml").touch()
    overlays = {
        "common/a.pkrvars.hcl": 'memory = "1024"\npackages = ["curl", "vim"]\ntags = { owner = "us" }\n',
        "dev/a.pkrvars.hcl": 'tags = { environment = "dev" }\ndisk = { size = "10G", ssd = true }\n',
        "dev/linux/a.pkrvars.hcl": 'cpus = 4\npackages = ["curl"]\n',
        "dev/linux/null/a.pkrvars.hcl": 'hostname = "image"\n',
    }
    for number in range(TARGETS):
        name = f"image-{number}"
        folder = root / f"templates/linux/null/{name}"
        folder.mkdir(parents=True)
        (folder / "build.pkr.hcl").write_text(TEMPLATE.format(name=name))
        overlays[f"dev/linux/null/{name}.pkrvars.hcl"] = f'hostname = "host-{number}"\n'
    for path, text in overlays.items():
        file = root / "environments" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Workspace(root)


def copy_safely(source: str, target: Path) -> None:
    """Copy a file so that it is whole or not there, whatever happens."""
    temporary = f"{target}.tmp"
    with open(source, "rb") as reader, open(temporary, "wb") as writer:
        shutil.copyfileobj(reader, writer)
        writer.flush()
        os.fsync(writer.fileno())
    os.rename(temporary, target)


def timed(act: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def main() -> None:
    """Take turns, and print the medians."""
    times: dict[str, list[float]] = {"first": [], "again": [], "safe": [], "plain": []}
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "images") as folder:
        for number in range(ROUNDS):
            root = Path(folder) / str(number)
            root.mkdir()
            workspace = make(root / "workspace")

            def render(workspace: Workspace = workspace) -> list[dict[str, Any]]:
                files: list[dict[str, Any]] = generate_env_config({"env": "dev"}, workspace=workspace)[
                    "files"
                ]
                return files

            def copy(
                act: Callable[[str, Path], object], name: str, paths: list[str], root: Path = root
            ) -> None:
                for index, path in enumerate(paths):
                    act(path, root / f"{name}-{index}.pkrvars.hcl")

            times["first"].append(timed(render))
            files = render()
            assert len(files) == TARGETS
            assert not any(file["changed"] for file in files)
            paths = [file["path"] for file in files]
            times["safe"].append(timed(partial(copy, copy_safely, "safe", paths)))
            times["plain"].append(timed(partial(copy, shutil.copyfile, "plain", paths)))
            times["again"].append(timed(render))
    first, again, safe, plain = (
        statistics.median(times[name]) for name in ("first", "again", "safe", "plain")
    )
    what = f"rendering {TARGETS} targets in one call"
    emit(f"{what}, against as many copies, flushed and renamed", first, safe, "<= 5")
    emit(f"{what}, against as many plain copies", first, plain, "")
    emit(f"{what}, nothing changed, against as many plain copies", again, plain, "")


if __name__ == "__main__":
    main()
