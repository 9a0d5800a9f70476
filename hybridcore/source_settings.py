"""The ``[sources.NAME]`` tables of the settings file: one table of what can be set for a source."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING

from .errors import Fault
from .setting_tables import Reader, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import Field
    from typing import Any, TypeVar

    OptionT = TypeVar("OptionT", str, int, bool, tuple[str, ...])


def _option(default: OptionT, text: str, **more: object) -> OptionT:
    """A row of the table: a default, what the option means, and ``least`` or ``pattern`` to check it by."""
    return field(default=default, metadata={"help": text, **more})  # pylint: disable=invalid-field-call


@dataclass(frozen=True)
class SourceSetting:
    """One ``[sources.NAME]`` table: a repository and the commit that it is pinned to.

    Its fields are the table of what can be set there; documentation and checks read it.
    """

    name: str
    url: str = _option("", "what Git clones")
    ref: str = _option("", "branch, tag or commit; the remote's default branch when empty")
    sha: str = _option("", "full commit id that `ref` must mean; not pinned when empty")
    kind: str = _option(
        "example",
        "`example`, what templates use, or `plugin`, which may give programs to `[plugins]`",
        pattern="example|plugin",
    )
    depth: int = _option(0, "commits of history that are fetched; 0: all", least=0)
    filter: str = _option(
        "",
        "what is fetched only when it is needed, as `git clone --filter` has it: `blob:none`",
        pattern=r"|blob:none|blob:limit=\d+[kmg]?|tree:\d+",
    )
    sparse: tuple[str, ...] = _option(
        (),
        "folders that are checked out, with the files above them; all when empty",
        pattern=r"(?!.*(^|/)\.{0,2}(/|$))[^\\*?\[\]!#\s][^\\*?\[\]\x00-\x1f\x7f]*",
    )
    lfs: bool = _option(False, "whether files of Git LFS are fetched, by `git lfs`")
    submodules: bool = _option(
        False, "whether the repositories within it are cloned as well, at the commits that it pins"
    )
    refuse: tuple[str, ...] = _option(
        (),
        "what a commit may not have: `links` that may leave the workspace, `submodules`, `lfs`",
        pattern="links|submodules|lfs",
    )
    verify: str = _option(
        "", "`ssh` or `gpg`: the commit, or the tag that `ref` names, must be signed", pattern="|ssh|gpg"
    )
    signers: str = _option(
        "", "file of the workspace with those who may sign: allowed signers, or public keys of OpenPGP"
    )
    stall: int = _option(60, "seconds of silence after which a remote is given up", least=1)
    timeout: int = _option(3600, "seconds that one command of Git may take", least=1)
    retries: int = _option(2, "how often a remote that cannot be reached is asked again", least=0)
    max_mb: int = _option(
        0, "megabytes that one download, and the files of the commit, may have; 0: any", least=0
    )


# Name to field of what can be set for a source.
SOURCE_OPTIONS = {option.name: option for option in fields(SourceSetting) if option.name != "name"}
_KINDS: Mapping[type, str] = {
    int: "a whole number",
    str: "a string",
    bool: "true or false",
    tuple: "a list of strings",
}


def _read(option: Field[Any], given: object) -> tuple[str, object]:
    """What is wrong with the value of an option, and the value as its field holds it."""
    value = tuple(given) if isinstance(given, list) else given
    if type(value) is not type(option.default):
        return f"must be {_KINDS[type(option.default)]}", value
    least, pattern = option.metadata.get("least"), option.metadata.get("pattern")
    if isinstance(value, int) and least is not None and value < least:
        return f"must be at least {least}", value
    for text in value if isinstance(value, tuple) else (value,):
        if pattern is not None and (not isinstance(text, str) or not re.fullmatch(pattern, text)):
            return f"cannot be {reprlib.repr(text)}: {option.metadata['help']}", value
    return "", value


_READERS = {name: Reader(partial(_read, option)) for name, option in SOURCE_OPTIONS.items()}


def parse_sources(table: Mapping[str, Any], faults: list[Fault]) -> dict[str, SourceSetting]:
    """Read the tables of all sources.

    Args:
        table: the table ``sources`` of the settings file.
        faults: what is wrong is added here.

    Returns:
        The settings by name, wrong values left out.
    """
    found: dict[str, SourceSetting] = {}
    for name, entry in sorted(table.items()):
        where = f"[sources.{name}]"
        if not isinstance(entry, dict):
            faults.append(Fault(f"{where} must be a table with url, ref and sha"))
            continue
        values = read_table(entry, _READERS, where, faults)
        if not entry.get("url"):
            faults.append(Fault(f"{where} has no url"))
        found[name] = SourceSetting(name=name, **values)
    return found
