"""What this machine can do for a virtual machine."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


@cache
def accelerator() -> str:
    """Choose the accelerator for QEMU.

    Returns:
        ``kvm`` where the processor shows a virtualization flag and ``/dev/kvm`` opens; else ``tcg``. The
        device alone is not enough: on some hosts it opens and a stock kernel then hangs under it.
    """
    return "kvm" if _has_flag() and _opens() else "tcg"


def _has_flag(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    for line in text.splitlines():
        if line.startswith("flags"):
            return not {"vmx", "svm"}.isdisjoint(line.split())
    return False


def _opens(device: str = "/dev/kvm") -> bool:
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True
