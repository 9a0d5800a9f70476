"""What a template needs of Packer, and what this Packer lacks."""

from __future__ import annotations

import pytest

from hybridcore.templates.requirements import allows


@pytest.mark.parametrize(
    ("constraint", "version", "allowed"),
    [
        (">= 1.7.0", "1.6.6", False),
        (">= 1.7.0, < 2.0.0", "1.9.4", True),
        ("~> 1.8", "1.9.4", True),
        ("~> 1.8.1", "1.9.4", False),
        ("1.9.4", "1.9.4", True),
        ("!= 1.9.4", "1.9.4", False),
        ("> 1.9", "1.9.0", False),
        ("whatever", "1.9.4", True),
    ],
)
def test_version_constraints(constraint: str, version: str, allowed: bool) -> None:
    assert allows(constraint, version) is allowed
