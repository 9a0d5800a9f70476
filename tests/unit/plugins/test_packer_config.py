"""packer_config: what a task returns of what was rendered."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("diff", [True, False])
def test_what_would_change_is_said_and_written_only_without_check_mode(
    plugin, make_workspace, check_mode: bool, diff: bool
) -> None:
    space = make_workspace()
    target = space.null("linux/null/a")
    params = {"workspace": str(space.root), "env": "dev", "targets": [target], "vars": {}, "provisioners": {}}
    run = plugin("module_utils.packer_config").run
    answer = run(params, check_mode=check_mode, diff=diff, monitor=None)
    (file,) = answer["files"]
    assert (answer["changed"], file["target"], file["changed"]) == (True, target, True)
    assert file.keys().isdisjoint({"before", "after"})
    assert Path(file["path"]).is_file() is not check_mode
    if diff:
        ((shown),) = answer["diff"]
        assert shown["before_header"] == shown["after_header"] == file["path"]
        assert shown["after"] != shown["before"]
    else:
        assert "diff" not in answer
    again = run(params, check_mode=check_mode, diff=True, monitor=None)
    assert again["changed"] is check_mode
    assert bool(again["diff"]) is check_mode
