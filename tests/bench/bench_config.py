"""Rendering the configuration of 200 targets in one call, against 200 copies of the rendered files.

Both write every file anew. The copies are plain ones, `shutil.copyfile`, without a flush to disk.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

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


def main() -> None:
    """Take turns, and print the medians."""
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "images") as folder:
        root = Path(folder)
        ours, theirs, again = [], [], []
        for number in range(ROUNDS):
            workspace = make(root / f"workspace-{number}")
            begin = time.perf_counter()
            result = generate_env_config({"env": "dev"}, workspace=workspace)
            ours.append(time.perf_counter() - begin)
            assert len(result["files"]) == TARGETS
            assert all(file["changed"] for file in result["files"])
            copies = root / f"copies-{number}"
            copies.mkdir()
            paths = [file["path"] for file in result["files"]]
            begin = time.perf_counter()
            for index, path in enumerate(paths):
                shutil.copyfile(path, copies / f"{index}.pkrvars.hcl")
            theirs.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            result = generate_env_config({"env": "dev"}, workspace=workspace)
            again.append(time.perf_counter() - begin)
            assert not any(file["changed"] for file in result["files"])
        middle = ROUNDS // 2
        ours, theirs, again = (sorted(times)[middle] for times in (ours, theirs, again))
        emit(f"rendering {TARGETS} targets in one call, against {TARGETS} copies", ours, theirs, "<= 5")
        emit(f"the same when nothing changed, against {TARGETS} copies", again, theirs, "<= 5")


if __name__ == "__main__":
    main()
