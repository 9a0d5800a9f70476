"""The ``.git/config`` of a clone: read as data, and refused where it could run programs or lead elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .addresses import masked

if TYPE_CHECKING:
    from collections.abc import Iterable

# Sections and keys that run nothing, include nothing and redirect nothing: git-config(1), git-lfs-config(5).
# Of each section with a dot in its second part only what is named; what a name stands for may hold anything.
_INERT = re.compile(
    r"(core\.(repositoryformatversion|filemode|bare|logallrefupdates|symlinks|ignorecase|precomposeunicode"
    r"|autocrlf|eol|safecrlf|abbrev|compression|loosecompression|bigfilethreshold|untrackedcache"
    r"|preloadindex|commitgraph|multipackindex|sharedrepository|sparsecheckout|sparsecheckoutcone)"
    r"|remote\.[^\n]*\.(url|pushurl|fetch|push|tagopt|prune|prunetags|skipdefaultupdate|skipfetchall)"
    r"|remote\.pushdefault|remote\.origin\.(promisor|partialclonefilter)|extensions\.partialclone"
    r"|branch\.[^\n]*\.(remote|pushremote|merge|mergeoptions|rebase|description)"
    r"|branch\.(autosetupmerge|autosetuprebase|sort)"
    r"|user\.(name|email|signingkey|useconfigonly)|(commit|tag|push)\.gpgsign|commit\.(status|verbose)"
    r"|fetch\.(prune|prunetags|parallel|writecommitgraph|output|showforcedupdates)"
    r"|diff\.(algorithm|renames|renamelimit|colormoved|context|mnemonicprefix|noprefix)"
    r"|merge\.(conflictstyle|ff|log|renames|stat)|checkout\.(guess|workers|defaultremote)"
    r"|(pull|push|gc|advice|color|column|init|index|status|log|rebase|rerere|stash|format|blame|gui|help"
    r"|versionsort)\.[^\n]*"
    r"|lfs\.(repositoryformatversion|fetchrecentalways|fetchinclude|fetchexclude|concurrenttransfers"
    r"|locksverify|skipdownloaderrors|allowincompletepush|activitytimeout|dialtimeout|tlstimeout"
    r"|transfer\.maxretries)|lfs\.https?://[^\n]*\.(access|locksverify)"
    r"|extensions\.(objectformat|refstorage))",
    re.DOTALL,
)
# What `git lfs install --local` writes: the user's own program, by its plain name.
_GIT_LFS = re.compile(
    r"filter\.lfs\.(required\n(true|false)|clean\ngit-lfs clean -- %f|smudge\ngit-lfs smudge (--skip )?-- %f"
    r"|process\ngit-lfs filter-process( --skip)?)"
)
# A line of .git/config as git itself writes it, with nothing quoted, escaped, continued or commented.
_SECTION = re.compile(r'\[([a-z]+)(?: "([^"\\]*)")?\]')
_KEY = re.compile(r'\t([A-Za-z]+) = ([^\s"\\#;]+)')


def active(settings: Iterable[tuple[str, str]]) -> str:
    """The first setting that could make git run a program, or read or ask something else.

    Args:
        settings: keys, as ``git config --list`` writes them, and values.

    Returns:
        Its key, for people; empty when there is none.
    """
    for key, value in settings:
        if not _INERT.fullmatch(key) and not _GIT_LFS.fullmatch(f"{key}\n{value}"):
            return masked(key)
    return ""


def plain(text: str) -> list[tuple[str, str]] | None:
    """Keys and values of a ``.git/config`` that has only lines as git writes them; None for any other."""
    found = []
    section = ""
    for line in text.split("\n"):
        if header := _SECTION.fullmatch(line):
            section = header[1] + ("" if header[2] is None else "." + header[2])
        elif (setting := _KEY.fullmatch(line)) and section:
            found.append((f"{section}.{setting[1].lower()}", setting[2]))
        elif line:
            return None
    return found
