"""Who signed what is used, and what a remote may not do to it without a word."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridcore.sources.trees import differences
from hybridcore.workspace import open_workspace
from tests.support.remotes import git
from tests.support.sources import Space

pytestmark = pytest.mark.integration


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space.alone(tmp_path, monkeypatch)


class SshSigner:
    """Signs with an SSH key of its own."""

    kind = "ssh"

    def __init__(self, folder: Path, name: str) -> None:
        self.key = folder / name
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.key)]
        subprocess.run(make, check=True)
        self.options = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.key}.pub")

    def public(self) -> str:
        return f"{self.key.name}@example.org {self.key.with_suffix('.pub').read_text()}"


class GpgSigner:
    """Signs with an OpenPGP key of its own."""

    kind = "gpg"

    def __init__(self, folder: Path, name: str) -> None:
        self.home = folder / f"gnupg-{name}"
        self.home.mkdir(mode=0o700)
        self._gpg("--quick-gen-key", f"{name}@example.org", "ed25519", "sign", "never")
        program = folder / f"gpg-{name}"
        program.write_text(f'#!/bin/sh\nexec gpg --homedir {self.home} "$@"\n')
        program.chmod(0o755)
        self.options = ("-c", f"gpg.program={program}", "-c", f"user.signingKey={name}@example.org")

    def _gpg(self, *arguments: str) -> str:
        command = ["gpg", "--batch", "--quiet", "--passphrase", "", "--homedir", str(self.home), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def public(self) -> str:
        return self._gpg("--armor", "--export")

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True)


Signer = SshSigner | GpgSigner


@pytest.fixture(params=["ssh", "gpg"])
def signers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Signer, Signer]]:
    """One who is trusted, and one who is not."""
    if request.param == "ssh":
        yield SshSigner(tmp_path, "trusted"), SshSigner(tmp_path, "other")
        return
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    # The socket of its agent has a short limit of length, which folders of pytest may exceed.
    both = GpgSigner(tmp_path, "trusted"), GpgSigner(tmp_path, "other")
    yield both
    for each in both:
        each.close()


def trust(space: Space, signer: Signer, **settings: str) -> None:
    (space.root / "signers").write_text(signer.public())
    space.settings(**settings, more=f'verify = "{signer.kind}"\nsigners = "signers"\n')


def signed_commit(space: Space, signer: Signer) -> str:
    folder = space.remote.folder
    git(folder, *signer.options, "commit", "--quiet", "--allow-empty", "-S", "-m", "signed")
    return git(folder, "rev-parse", "HEAD")


def test_a_signed_commit(space: Space, signers: tuple[Signer, Signer]) -> None:
    trusted, other = signers
    trust(space, trusted)
    assert f"commit {space.first} is not signed by one of signers" in space.error()
    assert not space.clone.exists()
    second = signed_commit(space, trusted)
    assert [each.sha for each in space.sync()] == [second]
    signed_commit(space, other)
    assert "is not signed by one of signers" in space.error()
    assert space.head() == second
    space.remote.commit(text="unsigned\n")
    assert "commit: no signature" in space.error()
    assert space.head() == second


def test_a_commit_that_is_there_is_looked_at_too(space: Space, signers: tuple[Signer, Signer]) -> None:
    trusted, other = signers
    second = signed_commit(space, trusted)
    space.sync()
    trust(space, trusted)
    for options in ({}, {"frozen": True}, {"offline": True}, {"check": True}):
        assert [each.sha for each in space.sync(**options)] == [second]
    trust(space, other)
    for options in ({}, {"frozen": True}, {"offline": True}, {"check": True}):
        assert "is not signed by one of signers" in space.error(**options)


def test_a_signed_tag(space: Space, signers: tuple[Signer, Signer]) -> None:
    trusted, other = signers
    folder = space.remote.folder
    git(folder, *trusted.options, "tag", "-s", "-m", "release", "v1")
    git(folder, *other.options, "tag", "-s", "-m", "release", "v2")
    git(folder, "tag", "-m", "release", "v3")
    for name in ("v2", "v3"):
        trust(space, trusted, ref=name)
        assert "is not signed by one of signers: tag: " in space.error()
    # Whoever serves the repository can give a signed tag another name, and so an old release for a new one.
    git(folder, "update-ref", "refs/tags/v4", "refs/tags/v1")
    trust(space, trusted, ref="v4")
    assert "is not signed by one of signers: commit: " in space.error()
    trust(space, trusted, ref="v1")
    assert [each.sha for each in space.sync()] == [space.first]


def test_a_signature_of_the_other_kind_does_not_count(
    space: Space, signers: tuple[Signer, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the user's own git would take it."""
    trusted, _ = signers
    signed_commit(space, trusted)
    config = space.tmp_path / "gitconfig"
    allowed = space.tmp_path / "allowed"
    allowed.write_text(trusted.public())
    config.write_text(f'[gpg "ssh"]\n\tallowedSignersFile = {allowed}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    if isinstance(trusted, GpgSigner):
        trusted.home.rename(space.tmp_path / ".gnupg")
        trusted.home = space.tmp_path / ".gnupg"
        monkeypatch.setenv("HOME", str(space.tmp_path))
    (space.root / "signers").write_text(trusted.public())
    other = {"ssh": "gpg", "gpg": "ssh"}[trusted.kind]
    if other == "gpg":
        keys = GpgSigner(space.tmp_path, "unused")
        (space.root / "signers").write_text(keys.public())
        keys.close()
    space.settings(more=f'verify = "{other}"\nsigners = "signers"\n')
    assert "is not signed by one of signers" in space.error()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('verify = "ssh"\n', "there is no file 'signers'"),
        ('verify = "gpg"\nsigners = "nowhere"\n', "there is no file 'nowhere'"),
        ('verify = "gpg"\nsigners = "packer-hybrid.toml"\n', "has no public keys"),
        ('signers = "x"\n', "signers is set, but verify is not"),
    ],
)
def test_signers_that_are_not_there(space: Space, more: str, words: str) -> None:
    space.settings(more=more)
    assert words in space.error()
    assert not space.clone.exists()


def test_a_tag_that_moved_is_told(space: Space) -> None:
    git(space.remote.folder, "tag", "v1")
    space.settings(ref="v1")
    assert [each.warning for each in space.sync()] == [""]
    second = space.remote.commit(text="two\n")
    git(space.remote.folder, "tag", "--force", "v1")
    warning = f"the tag 'v1' has moved from {space.first} to {second}"
    for options in ({"check": True}, {}):
        assert [each.warning for each in space.sync(**options)] == [warning]
    assert [each.warning for each in space.sync()] == [""]


def test_history_that_was_rewritten_is_told(space: Space) -> None:
    second = space.remote.commit(text="two\n")
    space.settings(ref="main")
    space.sync()
    third = space.remote.commit(text="three\n")
    assert [(each.sha, each.warning) for each in space.sync()] == [(third, "")]
    git(space.remote.folder, "reset", "--quiet", "--hard", second)
    other = space.remote.commit(text="other\n")
    warning = f"the history of 'main' was rewritten: {third} is not in {other}"
    assert [(each.sha, each.warning) for each in space.sync()] == [(other, warning)]


def test_a_build_runs_no_program_of_a_clone_when_it_looks_at_its_tree(space: Space) -> None:
    space.sync()
    mark = space.tmp_path / "executed"
    with (space.clone / ".git" / "config").open("a") as file:
        file.write(f'[filter "x"]\n\tclean = "touch {mark}; cat"\n')
    (space.clone / ".gitattributes").write_text("* filter=x\n")
    (space.clone / "file.txt").write_text("ONE\n")
    (fault,) = differences({"demo": space.first}, open_workspace(space.root))
    assert "could run other programs" in fault.message
    assert not mark.exists()
