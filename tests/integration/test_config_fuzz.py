"""Random variables, values, conditions and expressions on both Packers: see tests/fuzz/fuzz.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.commands import to_its_end

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FUZZ = Path(__file__).resolve().parents[1] / "fuzz" / "fuzz.py"


def test_random_variables_have_packers_verdict_and_values(packer_debian: Path, tools: object) -> None:
    done = to_its_end(
        [sys.executable, FUZZ, "--cases", "1500", "--seed", "12"],
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("1500 cases") == 3, "both Packers tried all of them"
