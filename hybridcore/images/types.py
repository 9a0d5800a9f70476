"""The types of what is written of a version; imported for type checks alone, as those of the state are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from ..state.types import ArtifactEntry


class VersionOf(TypedDict):
    """A version of an image, where another one names it: the one that it was promoted from."""

    environment: str
    target: str
    version: int


class ParentOf(VersionOf):
    """The version that another one was built on, and the channel it was found by; None for ``latest``."""

    channel: str | None


class Document(TypedDict):
    """A file of the workspace, by its path and its digest."""

    path: str
    sha256: str


class ContentsOf(Document):
    """The document that says what is installed in a version, and how many packages that are."""

    packages: int


class AttestationOf(Document):
    """The signed statement of how a version came to be, and the name of the key."""

    keyid: str


class VersionRecord(TypedDict):
    """The record of a version: written once, never changed. docs/images.md explains each field."""

    environment: str
    target: str
    version: int
    complete: bool
    run: str | None
    builder: str | None
    fingerprint: str | None
    given_fingerprint: str | None
    inputs: dict[str, str] | None
    observed: list[str] | None
    artifacts: list[ArtifactEntry] | None
    manifest: Document | None
    packer: str | None
    plugins: dict[str, str]
    sources: dict[str, str]
    started_at: str | None
    built_at: str | None
    recorded_at: str
    duration_s: float | None
    log_path: str | None
    labels: dict[str, str]
    parent: ParentOf | None
    origin: VersionOf | None
    allowed_revoked: str | None
    checks: dict[str, Any] | None
    contents: ContentsOf | None
    attestation: AttestationOf | None
