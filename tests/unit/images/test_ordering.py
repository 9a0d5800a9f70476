"""The order of versions of packages, by facts that are written down."""

from __future__ import annotations

import pytest

from hybridcore.images.ordering import KEYS, debian_key, rpm_key


def compared(kind: str, first: str, second: str) -> int:
    key = KEYS[kind]
    return (key(first) > key(second)) - (key(first) < key(second))


# From the text of deb-version(7).
DEBIAN_FACTS = """
1.0~beta1~svn1245 < 1.0~beta1
1.0~beta1 < 1.0
~~ < ~~a
~~a < ~
~ < a
1.0 = 1.0-0
0:1.0 = 1.0
1:0.1 > 9.9
1.2a < 1.2+
1.9 < 1.10
0~ < 0
"""


@pytest.mark.parametrize("fact", DEBIAN_FACTS.strip().splitlines())
def test_facts_of_debian(fact: str) -> None:
    first, sign, second = fact.split()
    assert compared("deb", first, second) == {"<": -1, "=": 0, ">": 1}[sign]


# What rpm's manual, "Version Comparison", says of each rule.
RPM_FACTS = """
1.0 = 1.0
1.0 < 2.0
2.0.1 < 2.0.1a
5.5p1 < 5.5p10
10xyz < 10.1xyz
xyz.4 < 8
1.0~rc1 < 1.0
1.0~rc1 < 1.0~rc2
1.0 < 1.0^
1.0^git1 < 1.0.1
1.0~rc1^git1 < 1.0
1.0_1 = 1.0.1
1.05 = 1.5
"""


@pytest.mark.parametrize("fact", RPM_FACTS.strip().splitlines())
def test_facts_of_rpm(fact: str) -> None:
    first, sign, second = fact.split()
    assert compared("rpm", first, second) == {"<": -1, "=": 0}[sign]


def test_epoch_and_release_of_rpm() -> None:
    assert rpm_key("1:0.1-1") > rpm_key("9.9-9")
    assert rpm_key("1.0-2.el9") < rpm_key("1.0-10.el9")
    assert rpm_key("0:1.0-1") == rpm_key("1.0-1")


def test_a_number_of_any_length_is_compared() -> None:
    assert debian_key("1" * 9000) < debian_key("2" * 9000)
    assert rpm_key("1" * 9000) > rpm_key("9" * 8999)
