from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.images import Shelf
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def shelf(make_workspace: Callable[..., WorkspaceFolder]) -> Shelf:
    return Shelf(make_workspace().open())
