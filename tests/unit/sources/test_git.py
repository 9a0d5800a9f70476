"""The commands of git, on repositories of this machine."""

from __future__ import annotations

import pytest

from hybridcore.errors import SourcesError
from hybridcore.sources import git

A, B = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("refs", "ref", "found"),
    [
        ({"HEAD": A}, "", A),
        ({"refs/heads/main": A}, "main", A),
        ({"refs/tags/v1": B, "refs/tags/v1^{}": A}, "v1", A),
        ({"refs/heads/x": A, "refs/tags/x": A}, "x", A),
        ({"refs/heads/x": A, "refs/tags/x": B}, "refs/tags/x", B),
        ({"refs/heads/other/main": A}, "main", ""),
        ({}, "", ""),
    ],
)
def test_what_a_ref_means(refs: dict[str, str], ref: str, found: str) -> None:
    assert git.commit_of(refs, ref) == found


def test_a_branch_and_a_tag_of_one_name_are_refused() -> None:
    with pytest.raises(SourcesError, match=f"branch at {A} and a tag at {B}.*refs/heads/x"):
        git.commit_of({"refs/heads/x": A, "refs/tags/x": B}, "x")
