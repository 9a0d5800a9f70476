"""What a commit may not have: links that leave, submodules, files of Git LFS."""

from __future__ import annotations

import pytest

from hybridcore.sources import contents


@pytest.mark.parametrize(
    ("path", "target", "leaves"),
    [
        ("a", "b", False),
        ("a", "/etc", True),
        ("a", "../../x", False),
        ("a", "../../../x", True),
        ("a/b", "../../../x", False),
        ("a/b", "./..//../../../x", True),
        ("a", "b/../x", True),
        ("a", "..", False),
        ("a", "", False),
    ],
)
def test_links_that_leave_the_workspace(path: str, target: str, leaves: bool) -> None:
    assert contents.leaves(path, target) is leaves
