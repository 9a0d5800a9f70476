"""The lock of a target: one at a time, and nobody waits for it here."""

from __future__ import annotations

import os
from pathlib import Path

from hybridcore.images.locks import target_lock, try_lock
from tests.support.images import WEB, Shelf


def test_it_is_taken_once_at_a_time_and_given_back(shelf: Shelf) -> None:
    shelf.workspace.state_dir.mkdir()
    with try_lock(shelf.workspace, *WEB) as first, try_lock(shelf.workspace, *WEB) as second:
        assert (first, second) == (True, False)
    with try_lock(shelf.workspace, *WEB) as again:
        assert again


def test_each_image_has_a_lock_of_its_own(shelf: Shelf) -> None:
    file = target_lock(shelf.workspace, "dev", "linux/qemu/web")
    assert os.path.relpath(file, shelf.workspace.state_dir) == "locks/dev@linux@qemu@web.lock"
    assert target_lock(shelf.workspace, "prod", "linux/qemu/web") != file


def test_a_lock_that_cannot_be_opened_is_not_taken(shelf: Shelf) -> None:
    Path(target_lock(shelf.workspace, *WEB)).mkdir()
    with try_lock(shelf.workspace, *WEB) as taken:
        assert not taken
