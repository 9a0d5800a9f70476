"""What this machine can do for a virtual machine: the processor's flag and a device that opens, both."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore import host


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor: 0\nflags\t\t: fpu vmx sse\n", True),
        ("flags : svm\nflags : fpu\n", True),
        ("flags : fpu\nflags : vmx\n", False),  # all processors are like the first
        ("flags : vmxnet fpu\n", False),
        ("vmx flags : vmx\n", False),
        ("Features : fp asimd\n", False),
        ("", False),
    ],
)
def test_the_flag_of_the_processor(tmp_path: Path, text: str, expected: bool) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    assert host._has_flag(file) is expected


def test_a_machine_without_cpuinfo_has_no_flag(tmp_path: Path) -> None:
    assert host._has_flag(tmp_path / "none") is False


def test_a_device_that_is_there_and_opens(tmp_path: Path) -> None:
    assert host._opens("/dev/null")
    assert not host._opens(str(tmp_path / "none"))
    assert not host._opens(str(tmp_path))


@pytest.mark.parametrize(
    ("flag", "opens", "expected"),
    [(True, True, "kvm"), (True, False, "tcg"), (False, True, "tcg"), (False, False, "tcg")],
)
def test_kvm_needs_both(monkeypatch: pytest.MonkeyPatch, flag: bool, opens: bool, expected: str) -> None:
    monkeypatch.setattr(host, "_has_flag", lambda: flag)
    monkeypatch.setattr(host, "_opens", lambda: opens)
    host.accelerator.cache_clear()
    try:
        assert host.accelerator() == expected
    finally:
        host.accelerator.cache_clear()
