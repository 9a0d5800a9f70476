from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.debian_mirror import DebianMirror, end_agent, make_keys
from tests.support.file_server import FileServer, file_server
from tests.support.images import Shelf
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture(scope="session")
def archive_keys() -> Iterator[Path]:
    """A folder with the keys and the keyring of a mirror."""
    # In a short place: the agent of gpg has its socket there.
    folder = Path(tempfile.mkdtemp(prefix="keys-"))
    make_keys(folder / "home", folder / "archive.gpg")
    yield folder
    end_agent(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture
def mirror(
    make_workspace: Callable[..., WorkspaceFolder], archive_keys: Path, tmp_path: Path
) -> Iterator[DebianMirror]:
    """A mirror that has published nothing yet, and a workspace that has its keyring."""
    space = make_workspace()
    space.settings(f'[mirrors]\nkeyring = "{archive_keys / "archive.gpg"}"\n')
    with file_server(FileServer(tmp_path / "served")) as server:
        yield DebianMirror(server, space, archive_keys / "home")


@pytest.fixture
def shelf(make_workspace: Callable[..., WorkspaceFolder]) -> Shelf:
    return Shelf(make_workspace().open())
