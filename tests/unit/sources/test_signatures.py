"""Signatures that are asked for; real keys of both kinds are in tests/integration/test_sources_trust.py."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hybridcore.errors import SourcesError
from hybridcore.source_settings import SourceSetting
from hybridcore.sources.git import Git
from hybridcore.sources.signatures import check
from tests.support.remotes import Remote, git

SSH = SourceSetting("x", url="/srv/x", verify="ssh", signers="keys/signers")


class Signed:
    """A repository whose owner signs with an SSH key that the workspace knows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.remote = Remote(root / "r")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "key")], check=True)
        key = (root / "key.pub").read_text()
        (root / "keys").mkdir()
        self.signers = root / "keys" / "signers"
        self.signers.write_text(f"test@example.org {key}")
        for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(root / "key"))):
            git(self.remote.folder, "config", name, value)

    def commit(self, *options: str) -> str:
        git(self.remote.folder, "commit", "--quiet", "--allow-empty", "-m", "x", *options)
        return git(self.remote.folder, "rev-parse", "HEAD")

    def check(self, sha: str, setting: SourceSetting = SSH) -> None:
        check(setting, self.root, Git(), self.remote.folder, sha)


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


def test_a_commit_that_one_of_the_signers_signed(signed: Signed) -> None:
    signed.check(signed.commit("-S"))


def test_a_commit_without_a_signature(signed: Signed) -> None:
    sha = signed.commit()
    with pytest.raises(SourcesError) as caught:
        signed.check(sha)
    assert str(caught.value).startswith(f"commit {sha} is not signed by one of keys/signers: commit: ")
    signed.check(sha, replace(SSH, verify=""))  # nobody asked for one


def test_a_signature_of_somebody_else(signed: Signed) -> None:
    sha = signed.commit("-S")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(signed.root / "other")], check=True
    )
    signed.signers.write_text("test@example.org " + (signed.root / "other.pub").read_text())
    with pytest.raises(SourcesError, match="is not signed by one of keys/signers"):
        signed.check(sha)


def test_the_tag_that_ref_names_may_be_signed_in_place_of_the_commit(signed: Signed) -> None:
    sha = signed.commit()
    git(signed.remote.folder, "tag", "-s", "-m", "one", "v1")
    signed.check(sha, replace(SSH, ref="v1"))
    signed.check(sha, replace(SSH, ref="refs/tags/v1"))
    with pytest.raises(SourcesError):
        signed.check(sha, replace(SSH, ref="main"))


def test_a_signed_tag_under_another_name_is_another_release(signed: Signed) -> None:
    sha = signed.commit()
    git(signed.remote.folder, "tag", "-s", "-m", "one", "v1")
    git(signed.remote.folder, "update-ref", "refs/tags/v2", "refs/tags/v1")
    with pytest.raises(SourcesError, match="is not signed"):
        signed.check(sha, replace(SSH, ref="v2"))


def test_a_signed_tag_of_another_commit_does_not_count(signed: Signed) -> None:
    signed.commit()
    git(signed.remote.folder, "tag", "-s", "-m", "one", "v1")
    with pytest.raises(SourcesError, match="is not signed"):
        signed.check(signed.commit(), replace(SSH, ref="v1"))


@pytest.mark.parametrize("signers", ["", "gone", "keys"])
def test_signers_that_are_no_file(signed: Signed, signers: str) -> None:
    with pytest.raises(SourcesError, match="verify is 'ssh', but there is no file"):
        signed.check("a" * 40, replace(SSH, signers=signers))


def test_the_program_for_signatures_is_missing(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(signed.root))
    with pytest.raises(SourcesError, match="the program 'gpg' was not found"):
        signed.check("a" * 40, replace(SSH, verify="gpg"))
