"""Small plugins for tests, as files and in archives."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

from hybridcore.packer.program.plugins import machine

SOURCE = "example.org/lab/mars"


def program(version: str = "1.2.3", *, says: str = "", more: str = "") -> bytes:
    """A plugin that describes itself, which is all it can do.

    Args:
        version: its version.
        says: the version that it says it has, where that is another one.
        more: something that makes it another program.
    """
    told = {"version": says or version, "sdk_version": "0.4.0", "api_version": "x5.0", "builders": []}
    return f"#!/bin/sh\n# {more}\necho '{json.dumps(told)}'\n".encode()


def file_name(version: str = "1.2.3", name: str = "mars") -> str:
    """The name that Packer wants the program of this machine to have."""
    return f"packer-plugin-{name}_v{version}_x5.0_{machine()}"


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return sha256(content).hexdigest()


def packed(name: str, content: bytes, kind: str) -> bytes:
    """An archive as plugins are published: the program, and a licence.

    Args:
        name: of the program in it.
        content: of the program.
        kind: `zip` or `tar.gz`.
    """
    data = io.BytesIO()
    files = {"LICENSE": b"text", name: content}
    if kind == "zip":
        with zipfile.ZipFile(data, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
    else:
        with tarfile.open(fileobj=data, mode="w:gz") as tar:
            for path, text in files.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text))
    return data.getvalue()


def install(root: Path, content: bytes, version: str = "1.2.3", *, says: str = "") -> Path:
    """Lay a program into a folder as Packer wants it.

    Args:
        root: the folder of all plugins.
        content: of the program.
        version: in its name.
        says: what the file with its digest says; the digest when empty.
    """
    path = root / SOURCE / file_name(version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    path.with_name(f"{path.name}_SHA256SUM").write_text(says or digest(content))
    return path
