"""The programs that tests/tools/build.py builds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "tools" / "build.py"


@dataclass(frozen=True)
class Tools:
    """Where the built programs lie.

    Attributes:
        packer: Packer 1.9.4.
        vcsim: the vSphere simulator.
        plugins: a value for PACKER_PLUGIN_PATH, with the qemu 1.0.9 and ansible 1.0.3 plugins.
    """

    packer: Path
    vcsim: Path
    plugins: Path


def build_tools() -> Tools:
    """Build what is missing (minutes, once) and say where everything is."""
    done = subprocess.run(
        [sys.executable, str(BUILD)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    assert done.returncode == 0, "tests/tools/build.py failed; its own lines say why"
    folder = Path(done.stdout.strip())
    return Tools(folder / "packer", folder / "vcsim", folder / "plugins")
