"""Errors as people and programs get them: what, where, what to do, and every fault in its order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridcore import errors
from hybridcore.errors import Fault, HclError, HybridError, error_to_dict, from_os_error


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("it is wrong"), "it is wrong"),
        (Fault("it is wrong", hint="mend it"), "it is wrong (mend it)"),
        (Fault("it is wrong", file="a.hcl"), "a.hcl: it is wrong"),
        (Fault("it is wrong", file=Path("a.hcl"), line=0), "a.hcl:0: it is wrong"),
        (Fault("it is wrong", file="a.hcl", line=3, hint="mend it"), "a.hcl:3: it is wrong (mend it)"),
        (Fault("it is wrong", line=3), "it is wrong"),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(fault: Fault, text: str) -> None:
    assert str(fault) == text
    assert repr(fault) == f"Fault({text!r})"
    assert str(HybridError(fault.message, file=fault.file, line=fault.line, hint=fault.hint)) == text


def test_equal_faults_are_one() -> None:
    one = Fault("x", file="f", line=1, hint="h")
    others = [Fault("y", file="f", line=1, hint="h"), Fault("x"), Fault("x", file="f", line=2, hint="h")]
    assert one == Fault("x", file=Path("f"), line=1, hint="h")
    assert len({one, Fault("x", file="f", line=1, hint="h"), *others}) == 4
    assert one != str(one)


def test_faults_are_sorted_by_file_line_and_message_and_shown_below_the_error() -> None:
    faults = [
        Fault("z", file="b"),
        Fault("1", file="a", line=10),
        Fault("2", file="a", line=9),
        Fault("no file"),
    ]
    error = HybridError("targets cannot be built", hint="mend them", faults=faults)
    assert str(error).splitlines() == [
        "targets cannot be built (mend them)",
        "  no file",
        "  a:9: 2",
        "  a:10: 1",
        "  b: z",
    ]


def test_each_kind_of_error_has_the_exit_code_that_is_documented(repository: Path) -> None:
    codes = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, HybridError)
    }
    others = {name: code for name, code in codes.items() if code != errors.EXIT_USER}
    assert others == {"PackerError": 3, "LockError": 4, "UsageError": 2, "Cancelled": 130}


def test_an_error_of_hcl_shows_its_line() -> None:
    error = HclError("no", filename="a.hcl", line=3, column=7, source_line="x = ")
    assert str(error) == "a.hcl:3:7: no\n  x = "
    assert (error.file, error.line) == ("a.hcl", 3)
    assert str(HclError("no", filename="a.hcl", line=3, column=7)) == "a.hcl:3:7: no"


@pytest.mark.parametrize(
    ("error", "message", "file"),
    [
        (OSError("no number at all"), "no number at all", None),
        (OSError(28, "No space left on device"), "No space left on device", None),
        (OSError(9, "Bad file descriptor", 3), "Bad file descriptor", None),
        (OSError(20, "Not a directory", b"/x/\xff"), "Not a directory", "/x/\udcff"),
        (OSError(13, "Permission denied", Path("/x")), "Permission denied", "/x"),
    ],
)
def test_an_error_of_the_system_names_its_file(error: OSError, message: str, file: str | None) -> None:
    made = from_os_error(error)
    assert (made.message, made.file, bool(made.hint)) == (message, file, file is not None)


def test_an_error_as_data_has_everything_and_is_json() -> None:
    error = errors.StateError("m", hint="h", file=Path("f"), line=1, faults=[Fault("x", file="g", line=2)])
    assert json.loads(json.dumps(error_to_dict(error))) == {
        "error": "StateError",
        "msg": "f:1: m (h)\n  g:2: x",
        "message": "m",
        "hint": "h",
        "file": "f",
        "line": 1,
        "faults": [{"message": "x", "file": "g", "line": 2, "hint": ""}],
    }


def test_an_error_without_faults_is_reported_as_one() -> None:
    alone = HybridError("it is wrong", file="a.hcl", line=3, hint="mend it")
    assert alone.as_faults() == [Fault("it is wrong", file="a.hcl", line=3, hint="mend it")]
    assert HybridError("all of it", faults=[Fault("b"), Fault("a")]).as_faults() == [Fault("a"), Fault("b")]
