"""Which errors are tried again: a test for each row of the table, and for what must not be."""

from __future__ import annotations

import re

import pytest

from hybridcore.packer.stream.retry import PASSING, classify, delays


@pytest.mark.parametrize("kind", PASSING, ids=lambda kind: kind.name.replace(" ", "-"))
def test_each_kind_of_passing_error_is_known_by_its_own_pattern(kind):
    assert re.search(kind.pattern, kind.example, re.IGNORECASE)
    assert classify([f"qemu.debian-12: {kind.example}"])
    # By this row and no other: without it the message would be final.
    others = [one.pattern for one in PASSING if one is not kind]
    assert not any(re.search(pattern, kind.example, re.IGNORECASE) for pattern in others)


@pytest.mark.parametrize(
    "message",
    [
        "Script exited with non-zero exit status: 1",
        "Error: Unknown source type bogus-type",
        "Cannot complete login due to an incorrect user name or password.",
        "Output directory exists: output-debian. Use the force flag to delete it prior to building.",
        'Unset variable "p"',
        "error downloading ISO: 404 Not Found",
        "a file of 429 kB and 503 lines",
        "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey]",
        "",
    ],
)
def test_what_cannot_pass_is_final(message):
    assert not classify([message])


def test_one_final_error_among_passing_ones_decides():
    passing = "dial tcp: connect: connection refused"
    assert classify([passing, passing])
    assert not classify([passing, "Unknown source type"])
    assert not classify([])


def test_the_delays_double_up_to_a_limit():
    assert list(delays(4, 5)) == [5, 10, 20, 40]
    assert list(delays(4, 5, longest=12)) == [5, 10, 12, 12]
    assert list(delays(0, 5)) == []
