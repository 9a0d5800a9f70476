"""The order of versions of packages against the programs that decide it: dpkg and rpm."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from hybridcore.images.ordering import KEYS

pytestmark = pytest.mark.integration

PARTS = [
    "0",
    "1",
    "2",
    "00",
    "10",
    "9",
    "123456789012345678901234",
    "a",
    "b",
    "A",
    "alpha",
    "rc",
    "deb12u1",
    "git",
]
# Those of which the order depends on the rules; `-` and `:` are put in where they may stand.
SIGNS = {"deb": ["~", "~~", "+", ".", "..", "~1"], "rpm": ["~", "~~", "^", "^^", "+", ".", "_", "..", "~1"]}


def random_pairs(kind: str, count: int) -> list[tuple[str, str]]:
    """Pairs of versions, of which many differ in little."""
    chance = random.Random(20261124)
    alphabet = PARTS + SIGNS[kind] * 3

    def part() -> str:
        return chance.choice("0123") + "".join(chance.choices(alphabet, k=chance.randrange(5)))

    def version() -> str:
        epoch = chance.choice(["", "", "", "0:", "1:", "10:"]) if kind == "deb" else ""
        return epoch + part() + (f"-{part()}" if kind == "deb" and chance.random() < 0.6 else "")

    pairs = []
    for _ in range(count):
        first = version()
        second = version()
        if chance.random() < 0.6:  # the same, with something put in, taken out or doubled
            at = chance.randrange(first.find(":") + 2, len(first) + 1)
            second = (
                first[:at] + chance.choice(alphabet) * chance.randrange(2) + first[at + chance.randrange(2) :]
            )
        second = second.rstrip("-")  # dpkg refuses a revision of nothing
        pairs.append((first, second) if chance.random() < 0.5 else (second, first))
    return pairs


def compared(kind: str, first: str, second: str) -> int:
    key = KEYS[kind]
    return (key(first) > key(second)) - (key(first) < key(second))


def test_debian_versions_have_the_order_of_dpkg() -> None:
    pairs = random_pairs("deb", 10_000)
    words = {-1: "lt", 0: "eq", 1: "gt"}
    verdicts = [compared("deb", *pair) for pair in pairs]
    assert min(map(verdicts.count, words)) > 300, "pairs of which nearly all have one verdict prove little"
    # One shell asks for all of them: dpkg compares one pair a time.
    claims = [
        f"'{first}' {words[verdict]} '{second}'"
        for (first, second), verdict in zip(pairs, verdicts, strict=True)
    ]
    asked = "".join(f'dpkg --compare-versions {claim} || echo "{claim}"\n' for claim in claims)
    done = subprocess.run(["/bin/sh"], input=asked, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == []
    assert "error" not in done.stderr


@pytest.mark.skipif(shutil.which("rpm") is None, reason="the Debian package rpm is not installed")
def test_rpm_versions_have_the_order_of_rpm(tmp_path: Path) -> None:
    pairs = random_pairs("rpm", 10_000)
    script = tmp_path / "ask.lua"
    script.write_text(
        "".join(f'print(rpm.vercmp("{first}", "{second}") .. "\\n")\n' for first, second in pairs)
    )
    done = subprocess.run(
        ["rpm", "--eval", f'%{{lua: dofile("{script}")}}'], capture_output=True, text=True, check=True
    )
    theirs = [int(verdict) for verdict in done.stdout.split()]
    assert min(map(theirs.count, (-1, 0, 1))) > 300
    wrong = [
        (pair, verdict)
        for pair, verdict in zip(pairs, theirs, strict=True)
        if compared("rpm", *pair) != verdict
    ]
    assert wrong == []
