"""Signatures with Ed25519, by the program ``openssl``; keys are checked before they are used."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from .. import process, temporary
from ..errors import ImagesError

if TYPE_CHECKING:
    from ..workspace import Workspace

# What an Ed25519 key begins with as SubjectPublicKeyInfo: RFC 8410.
_ED25519 = bytes.fromhex("302a300506032b6570032100")
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----")
_NEW_KEY = "openssl genpkey -algorithm ed25519 -out FILE makes one; chmod 600 FILE"
_TIMEOUT_S = 30


def key_file(workspace: Workspace) -> Path | None:
    """The private key of ``[attest]``; None where nothing is signed."""
    return _path(workspace, workspace.settings.attest_key) if workspace.settings.attest_key else None


def _path(workspace: Workspace, text: str) -> Path:
    return workspace.root / Path(text).expanduser()


def check_key(workspace: Workspace) -> str:
    """Check the key that versions are to be signed with.

    Returns:
        Its public half, PEM; empty where nothing is signed.

    Raises:
        ImagesError: it is missing, can be read by others, or is no key of Ed25519.
    """
    file = key_file(workspace)
    if file is None:
        return ""
    try:
        status = file.stat()
    except OSError as error:
        raise ImagesError(
            f"the key of [attest] cannot be read: {error.strerror}", file=file, hint=_NEW_KEY
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise ImagesError("the key of [attest] is no plain file", file=file, hint=_NEW_KEY)
    if status.st_mode & 0o077:
        raise ImagesError(
            f"the key of [attest] can be used by others: its mode is {stat.S_IMODE(status.st_mode):04o}",
            file=file,
            hint=f"chmod 600 {file}; make a new one if somebody may have read it",
        )
    if not os.access(file, os.R_OK):
        raise ImagesError("the key of [attest] cannot be read: Permission denied", file=file)
    public = _openssl("pkey", "-in", str(file), "-passin", "pass:", "-pubout", file=file)
    key_id(public, file)
    return public


def key_id(public: str, file: Path) -> str:
    """The name of a public key: the sha256 of its SubjectPublicKeyInfo.

    Args:
        public: PEM.
        file: that it came from, for the error.

    Raises:
        ImagesError: it is no key of Ed25519.
    """
    found = _PEM.search(public)
    der = base64.b64decode("".join(found[1].split())) if found else b""
    if len(der) != len(_ED25519) + 32 or not der.startswith(_ED25519):
        raise ImagesError("this is no key of Ed25519", file=file, hint=_NEW_KEY)
    return hashlib.sha256(der).hexdigest()


def trusted_keys(workspace: Workspace) -> dict[str, str]:
    """The public keys that count, PEM by name: those of ``[attest] trusted``, and the half of ``key``.

    Raises:
        ImagesError: one of them cannot be read, or is no key of Ed25519.
    """
    found = {}
    if workspace.settings.attest_trusted:
        folder = _path(workspace, workspace.settings.attest_trusted)
        files = sorted(folder.glob("*.pub"))
        if not files:
            raise ImagesError("[attest] trusted holds no key, no file *.pub", file=folder)
        for file in files:
            try:
                public = file.read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise ImagesError(f"a key of [attest] trusted cannot be read: {error}", file=file) from error
            found[key_id(public, file)] = public
    if file_of_key := key_file(workspace):
        own = check_key(workspace)
        found[key_id(own, file_of_key)] = own
    return found


def sign(workspace: Workspace, data: bytes) -> tuple[str, bytes]:
    """Sign with the key of ``[attest]``.

    Args:
        workspace: whose settings name the key.
        data: what is signed.

    Returns:
        The name of the key, and the signature: 64 bytes.

    Raises:
        ImagesError: there is no key, or it must not be used, or ``openssl`` failed.
        OSError: nothing can be written beside other temporary files.
    """
    file = key_file(workspace)
    if file is None:
        raise ImagesError("there is no key to sign with", hint="[attest] key = FILE in packer-hybrid.toml")
    name = key_id(check_key(workspace), file)
    with temporary.folder() as folder:
        temporary.write(folder / "data", data)
        _openssl(
            *("pkeyutl", "-sign", "-rawin", "-inkey", str(file), "-passin", "pass:"),
            *("-in", str(folder / "data"), "-out", str(folder / "signature")),
            file=file,
        )
        return name, (folder / "signature").read_bytes()


def is_signed(public: str, data: bytes, signature: bytes) -> bool:
    """Whether a signature is of that data, by that key.

    Args:
        public: the public key, PEM.
        data: what was signed.
        signature: 64 bytes.

    Raises:
        ProcessError: ``openssl`` cannot be started.
        OSError: nothing can be written beside other temporary files.
    """
    with temporary.folder() as folder:
        for name, content in (("key", public.encode()), ("data", data), ("signature", signature)):
            temporary.write(folder / name, content)
        done = process.run(
            [
                *("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(folder / "key")),
                *("-in", str(folder / "data"), "-sigfile", str(folder / "signature")),
            ],
            timeout=_TIMEOUT_S,
        )
    return done.returncode == 0


def _openssl(*arguments: str, file: Path) -> str:
    done = process.run(["openssl", *arguments], timeout=_TIMEOUT_S)
    if done.returncode:
        said = " ".join(done.stderr.split())[:200]
        raise ImagesError(f"openssl cannot use the key of [attest]: {said}", file=file, hint=_NEW_KEY)
    return done.stdout
