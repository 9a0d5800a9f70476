import logging
from dataclasses import replace

import pytest

from hybridcore import logs
from hybridcore.settings import Settings
from hybridcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "packer-hybrid.toml").touch()
    return Workspace(root)


@pytest.fixture
def with_settings(workspace):
    return lambda **settings: replace(workspace, settings=Settings(**settings))


@pytest.fixture
def lines():
    """The lines of a workspace's log."""
    return lambda workspace: (workspace.logs / logs.LOG_NAME).read_text().splitlines()


@pytest.fixture
def record():
    def make(message, *args, name="hybridcore.packer", level=logging.INFO, created=1795325108.1239, **extra):
        made = logging.LogRecord(name, level, __file__, 1, message, args, None)
        made.created = created
        made.__dict__.update(extra)
        return made

    return make
