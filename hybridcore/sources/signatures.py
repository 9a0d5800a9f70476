"""Signatures of commits and tags: by SSH keys or OpenPGP keys that the workspace names, and by no others."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .. import process, temporary
from ..errors import SourcesError
from ..process.environment import child_environment
from .addresses import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..source_settings import SourceSetting
    from .git import Git

# By the kind that is wanted: what git runs for it. A signature tells its kind itself, so the programs for the
# others are taken away: gpg.program would ask the user's own keys, whatever verify says.
_PROGRAMS = {"ssh": ("gpg.ssh.program", "ssh-keygen"), "gpg": ("gpg.openpgp.program", "gpg")}
_ALL = ("gpg.program", "gpg.openpgp.program", "gpg.x509.program", "gpg.ssh.program")


def check(setting: SourceSetting, root: Path, git: Git, folder: Path, sha: str) -> None:
    """Refuse a commit that nobody signed who is trusted.

    Args:
        setting: the source; ``verify`` and ``signers`` say how.
        root: the workspace, which ``signers`` is relative to.
        git: runs git.
        folder: a clone that has the commit.
        sha: the commit.

    Raises:
        SourcesError: neither the commit is signed by one of the signers, nor the tag that ``ref`` names.
    """
    if not setting.verify:
        return
    key, program = _PROGRAMS[setting.verify]
    signers = root / setting.signers
    if not setting.signers or not signers.is_file():
        raise SourcesError(
            f"verify is {setting.verify!r}, but there is no file {setting.signers or 'signers'!r}",
            hint="a file of the workspace with the allowed signers (ssh), or with public keys (gpg)",
        )
    if shutil.which(program) is None:
        raise SourcesError(f"verify is {setting.verify!r}, but the program {program!r} was not found")
    programs = dict.fromkeys(_ALL, "false") | {key: program}
    if setting.verify == "ssh":
        programs["gpg.ssh.allowedSignersFile"] = str(signers)
        reasons = _attempts(setting, git, folder, sha, programs, {})
    else:
        with temporary.folder() as home:
            _import(signers, home)
            reasons = _attempts(setting, git, folder, sha, programs, {"GNUPGHOME": str(home)})
    if reasons:
        raise SourcesError(
            f"commit {sha} is not signed by one of {setting.signers}: {'; '.join(reasons)}",
            hint="nothing of it is used; ask those who publish it, or correct signers",
        )


def _attempts(
    setting: SourceSetting,
    git: Git,
    folder: Path,
    sha: str,
    programs: Mapping[str, str],
    extra: Mapping[str, str],
) -> list[str]:
    """Why neither the tag of ``ref`` nor the commit is signed well; empty when one is."""
    options = [part for key, value in programs.items() for part in ("-c", f"{key}={value}")]
    reasons = []
    for command, name in [*_tag(setting, git, folder, sha), ("verify-commit", sha)]:
        code, __, err = git.run([*options, command, name], folder=folder, extra=extra)
        if not code:
            return []
        lines = [line.strip() for line in err.splitlines() if line.strip()]
        reasons.append(f"{command.removeprefix('verify-')}: {lines[-1] if lines else 'no signature'}")
    return reasons


def _tag(setting: SourceSetting, git: Git, folder: Path, sha: str) -> Iterator[tuple[str, str]]:
    """The tag that ``ref`` names, where it is an object of that name for that commit."""
    name = setting.ref.removeprefix("refs/tags/")
    if not name or git.commit(folder, f"refs/tags/{name}") != sha:
        return
    code, text, __ = git.run(["cat-file", "tag", f"refs/tags/{name}"], folder=folder)
    # Under another name it is another release, though it is signed.
    if not code and f"\ntag {name}\n".encode() in text.partition(b"\n\n")[0] + b"\n":
        yield "verify-tag", f"refs/tags/{name}"


def _import(keys: Path, home: Path) -> None:
    """Make a keyring of some public keys."""
    command = ["gpg", "--batch", "--quiet", "--no-autostart", "--homedir", str(home), "--import", str(keys)]
    done = process.run(command, env=child_environment(), timeout=60)
    if done.returncode:
        raise SourcesError(f"{keys} has no public keys: {masked(done.stderr).strip().splitlines()[-1:]}")
