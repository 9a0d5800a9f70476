"""What differs between the Packers; that each says so itself is in test_config_packer_verdicts.py."""

from __future__ import annotations

import pytest

from hybridcore.hcl.dialect import PROBES, dialect, spoken_with
from hybridcore.hcl.functions import FUNCTIONS


@pytest.mark.parametrize(
    ("version", "regex", "open_default", "parentheses", "constraints"),
    [
        ("1.6.6", False, False, True, False),
        ("1.7.0", True, False, False, False),
        ("1.7.10-dev", True, False, False, False),
        ("1.8.0", True, True, False, False),
        ("1.9.4", True, True, False, False),
        ("1.10.0", True, True, False, True),
        ("1.16.0", True, True, False, True),
        ("2.0", True, True, False, True),
        # Not known: what any of them takes is taken.
        (None, True, True, True, True),
        ("", True, True, True, True),
        ("unknown", True, True, True, True),
    ],
)
def test_the_language_of_a_version(
    version: str | None, regex: bool, open_default: bool, parentheses: bool, constraints: bool
) -> None:
    found = dialect(version)
    assert (found.open_default, found.parentheses, found.constraints) == (
        open_default,
        parentheses,
        constraints,
    )
    assert set(FUNCTIONS) - set(found.functions) == (set() if regex else {"regex", "regexall"})


def test_the_language_of_a_packer_that_was_asked() -> None:
    assert spoken_with(PROBES) == dialect(None)
    assert spoken_with(()).functions.keys() == dialect("1.6.6").functions.keys()
    assert spoken_with(["regex", "open_default"]) == dialect("1.9.4")
    assert spoken_with(["parentheses"]) == dialect("1.6.6")
