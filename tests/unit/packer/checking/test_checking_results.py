"""What the checks of templates give back: verdicts of all targets, as data too."""

from __future__ import annotations

import json

from hybridcore.errors import Fault
from hybridcore.packer.checking.results import (
    FmtResult,
    InitResult,
    InspectResult,
    TargetFaults,
    ValidateResult,
)

FAULT, ODD = Fault("wrong", file="a.pkr.hcl", line=2, hint="h"), Fault("odd")


def test_one_target_that_is_wrong_makes_all_of_it_wrong_and_warnings_do_not() -> None:
    good, bad = TargetFaults("a", warnings=(ODD,)), TargetFaults("b", faults=(FAULT,), warnings=(ODD,))
    assert (good.ok, bad.ok) == (True, False)
    both = ValidateResult((good, bad))
    assert (ValidateResult().ok, ValidateResult((good,)).ok, both.ok) == (True, True, False)
    assert (both.faults, both.warnings) == ((FAULT,), (ODD, ODD))
    data = json.loads(json.dumps(both.to_dict()))
    assert data["ok"] is False
    assert [(one["target"], one["ok"]) for one in data["results"]] == [("a", True), ("b", False)]
    assert data["results"][1]["faults"] == [{"message": "wrong", "file": "a.pkr.hcl", "line": 2, "hint": "h"}]


def test_files_changed_when_some_are_named() -> None:
    assert FmtResult(faults=(FAULT,)).changed is False
    made = FmtResult(("a",), "diff", (FAULT,)).to_dict()
    assert (made["changed"], made["changed_files"], made["diff"]) == (True, ["a"], "diff")
    assert made["faults"] == [FAULT.to_dict()]


def test_init_changed_when_something_was_installed() -> None:
    assert InitResult().to_dict() == {"changed": False, "installed": []}
    assert InitResult(("p",)).to_dict() == {"changed": True, "installed": ["p"]}


def test_the_parts_of_a_target_as_data() -> None:
    found = InspectResult("a", {"x": "1"}, ("null.a",), ("shell",), ("manifest",))
    assert json.loads(json.dumps(found.to_dict())) == {
        "target": "a",
        "variables": {"x": "1"},
        "sources": ["null.a"],
        "provisioners": ["shell"],
        "post_processors": ["manifest"],
    }
