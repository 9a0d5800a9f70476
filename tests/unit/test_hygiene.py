"""Rules that hold for every file of the project."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG, TOO_LONG = 400, 600


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, without links, which would show a file twice."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *patterns],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file() and not file.is_symlink()]


@pytest.mark.parametrize("file", tracked("hybridcore/*.py"), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_of_the_core_is_long(file):
    """A stranger should be able to read any file in one sitting: long is worth a look, too long is wrong."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    if lines > LONG:
        warnings.warn(f"{file.relative_to(ROOT)} has {lines} lines", stacklevel=1)
    assert lines <= TOO_LONG


def test_the_types_of_every_file_that_is_shipped_are_checked():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    checked = [(ROOT / name).resolve() for name in settings["files"]]
    shipped = tracked("hybridcore/*.py", "plugins/*.py", "roles/*.py", "playbooks/*.py", "scripts/*.py")
    assert settings["strict"] is True
    assert [file for file in shipped if not any(file.is_relative_to(folder) for folder in checked)] == []


# Folders of one machine, in a file that goes to all.
MACHINE_PATH = re.compile(r"/work/main|/work/shared|\.\./shared/(?!corpus)|/tmp/[a-zA-Z]+/venv|/root/\.pyenv")


def test_no_file_names_a_path_of_one_machine():
    this = Path(__file__).resolve()
    found = []
    for file in tracked():
        if file == this:
            continue
        text = file.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


@pytest.mark.parametrize("file", tracked("hybridcore/*.py"), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_core_catches_no_exception_blindly(file):
    """`except Exception` hides faults; only the command line, the outermost adapter, may use it."""
    blind = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type
            if caught is None or (
                isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException")
            ):
                reraises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if not reraises and "cli" not in file.parts:
                    blind.append(node.lineno)
    assert blind == []


@pytest.mark.parametrize("file", tracked("hybridcore/*.py"), ids=lambda file: str(file.relative_to(ROOT)))
def test_only_the_process_module_starts_programs(file):
    """`process/` is the one door to other programs; never a shell."""
    text = file.read_text(encoding="utf-8")
    assert "shell=True" not in text
    assert "os.system(" not in text
    if file not in (ROOT / "hybridcore/process/__init__.py", ROOT / "hybridcore/process/supervisor.py"):
        assert not re.search(r"\bPopen\(|subprocess\.run\(|subprocess\.call\(|check_output\(", text)


@pytest.mark.parametrize("file", tracked("hybridcore/*.py"), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_name_of_a_file_is_made_of_a_process_id(file):
    """Threads have the same one, as have the first processes of two containers; `atomic.py` makes names."""
    made = [
        node.lineno
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) and "getpid()" in ast.unparse(node)
    ]
    assert made == []


@pytest.mark.parametrize("file", tracked("hybridcore/*.py"), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_core_passes_the_checks_of_ansible_test(file):
    """In the artifact it lies below plugins/: `_` is a disallowed name there, and so are assert and print."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == "_"]
    names += [node.lineno for node in nodes if isinstance(node, ast.arg) and node.arg == "_"]
    assert names == [], "use __ for what is not used"
    assert [node.lineno for node in nodes if isinstance(node, ast.Assert)] == [], (
        "raise AssertionError with a reason"
    )
    prints = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == [] or "cli" in file.parts, "only the command line prints, and it is not in the artifact"
