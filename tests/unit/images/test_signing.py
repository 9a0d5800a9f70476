"""Keys that sign, and what is refused as a key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import ImagesError
from hybridcore.images import signing
from hybridcore.workspace import Workspace
from tests.support.images import new_key
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "key.pem")


@pytest.fixture
def workspace(make_workspace: Callable[..., WorkspaceFolder], key: Path) -> Workspace:
    space = make_workspace()
    space.settings(f'[attest]\nkey = "{key}"\n')
    return space.open()


def test_what_is_signed_is_known_by_the_public_half(workspace: Workspace) -> None:
    name, signature = signing.sign(workspace, b"some data")
    keys = signing.trusted_keys(workspace)
    assert list(keys) == [name]
    assert signing.is_signed(keys[name], b"some data", signature)
    assert not signing.is_signed(keys[name], b"some date", signature)
    for at in range(len(signature)):
        broken = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        if at % 9 == 0:
            assert not signing.is_signed(keys[name], b"some data", broken)
    assert not signing.is_signed(keys[name], b"some data", b"")


def test_without_a_key_nothing_is_signed(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    workspace = make_workspace().open()
    assert signing.check_key(workspace) == ""
    assert signing.trusted_keys(workspace) == {}
    with pytest.raises(ImagesError, match="no key to sign with"):
        signing.sign(workspace, b"")


def test_a_missing_key_is_one_clear_error(workspace: Workspace, key: Path) -> None:
    key.unlink()
    with pytest.raises(ImagesError, match="cannot be read: No such file") as caught:
        signing.check_key(workspace)
    assert "openssl genpkey -algorithm ed25519" in caught.value.hint
    assert caught.value.file == str(key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_use_is_refused(workspace: Workspace, key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(ImagesError, match=f"can be used by others: its mode is {mode:04o}"):
        signing.sign(workspace, b"")


def test_what_is_no_key_of_ed25519_is_refused(workspace: Workspace, key: Path) -> None:
    key.write_text("nothing of a key\n")
    with pytest.raises(ImagesError, match="openssl cannot use the key"):
        signing.check_key(workspace)
    key.unlink()
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed448", "-out", str(key)], check=True)
    key.chmod(0o600)
    with pytest.raises(ImagesError, match="no key of Ed25519"):
        signing.check_key(workspace)
    key.unlink()
    os.mkfifo(key, 0o600)
    with pytest.raises(ImagesError, match="no plain file"):
        signing.check_key(workspace)


def test_a_key_with_a_passphrase_is_refused_and_asks_nobody(workspace: Workspace, key: Path) -> None:
    subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:secret", "-out", f"{key}.new"],
        check=True,
    )
    os.replace(f"{key}.new", key)
    key.chmod(0o600)
    with pytest.raises(ImagesError, match="openssl cannot use the key"):
        signing.check_key(workspace)


def test_other_keys_can_be_trusted(make_workspace: Callable[..., WorkspaceFolder], key: Path) -> None:
    public = subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True, text=True
    ).stdout
    space = make_workspace()
    space.write("keys/old.pub", public)
    space.settings('[attest]\ntrusted = "keys"\n')
    assert list(signing.trusted_keys(space.open()).values()) == [public]
    space.write("keys/old.pub", "nothing")
    with pytest.raises(ImagesError, match="no key of Ed25519"):
        signing.trusted_keys(space.open())
