"""What ``packer-hybrid.toml`` says, read from its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .errors import Fault, WorkspaceError
from .image_settings import AGE, ImageSetting, is_inside, parse_images
from .plugin_settings import PluginSetting, parse_plugins
from .setting_tables import SWITCH, TEXT, Reader, must_be, read_table
from .source_settings import SourceSetting, parse_sources
from .version_settings import ChannelSetting, KeepSetting, RetentionSetting, parse_channels, parse_retention

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SETTINGS_FILE = "packer-hybrid.toml"


@dataclass(frozen=True)
class Settings:
    """What ``packer-hybrid.toml`` says; every key is optional, so an empty file is valid.

    Attributes:
        packer_path: ``[packer] path``, the program to run: a name to look up, or a path.
        strict: ``[packer] strict``, whether plugins must be pinned.
        mirror: ``[offline] mirror``, the folder that stands for the network.
        parallel_builds: ``[build] parallel_builds``, Packer processes at a time; 0 means one a core.
        keep_images: ``[build] keep_images``, the old name of ``[retention] keep``; None where it is not used.
        logs_max_bytes: ``[logs] max_bytes``, size in bytes at which a log file rolls.
        logs_backup_count: ``[logs] backup_count``, rolled files that are kept.
        logs_format: ``[logs] format``, ``text`` or ``json`` (one object a line).
        logs_keep_builds: ``[logs] keep_builds``, build logs that are kept for each target.
        logs_keep_days: ``[logs] keep_days``, age in days after which a build log goes; 0 means never.
        lock_timeout: ``[state] lock_timeout``, seconds to wait for the state's lock.
        history: ``[state] history``, past runs that the state remembers.
        sources: ``[sources.NAME]`` tables, by name.
        plugins: ``[plugins."HOST/NAMESPACE/NAME"]`` tables, by address.
        images: ``[images."<os>/<platform>/<name>"]`` tables, by target; those of included files too.
        include: patterns of more files with ``[images]``.
        environment_pass: ``[environment] pass``, variables that reach Packer too; ``NAME_*`` stands for all
            that begin so.
        environment_secrets: ``[environment] secrets``, the same, and their values are masked.
        max_ages: ``[environments.ENV] max_age``, by environment: images that are older are built again.
        retention: ``[retention]``, which versions of an image stay.
        channels: ``[channels.NAME]``, what a channel demands, by name.
        attest_key: ``[attest] key``, the private key that versions are signed with; empty for none.
        attest_trusted: ``[attest] trusted``, a folder of public keys, ``*.pub``, that count beside its half.
        mirrors_keyring: ``[mirrors] keyring``, for what mirrors say; empty for that of the distribution.
    """

    packer_path: str = "packer"
    strict: bool = False
    mirror: str = ""
    parallel_builds: int = 0
    keep_images: int | None = None
    logs_max_bytes: int = 10_000_000
    logs_backup_count: int = 5
    logs_format: str = "text"
    logs_keep_builds: int = 20
    logs_keep_days: int = 0
    lock_timeout: int = 60
    history: int = 100
    sources: Mapping[str, SourceSetting] = field(default_factory=dict)
    plugins: Mapping[str, PluginSetting] = field(default_factory=dict)
    images: Mapping[str, ImageSetting] = field(default_factory=dict)
    include: tuple[str, ...] = ()
    environment_pass: tuple[str, ...] = ()
    environment_secrets: tuple[str, ...] = ()
    max_ages: Mapping[str, str] = field(default_factory=dict)
    retention: RetentionSetting = field(default_factory=RetentionSetting)
    channels: Mapping[str, ChannelSetting] = field(default_factory=dict)
    attest_key: str = ""
    attest_trusted: str = ""
    mirrors_keyring: str = ""


def _count(value: object) -> tuple[str, Any]:
    wrong, number = _WHOLE.read(value)
    return ("must not be negative" if not wrong and number < 0 else wrong), number


_WHOLE = must_be("a whole number", lambda number: True, int)
_COUNT = Reader(_count)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")
_VARIABLES = must_be(
    "a list of names of variables",
    lambda names: all(isinstance(name, str) and _VARIABLE.fullmatch(name) for name in names),
    list,
    hint='as in ["VAULT_ADDR", "OS_*"]',
)
# By section the keys that fill a field each: the field, and what reads it.
_SECTIONS: Mapping[str, Mapping[str, tuple[str, Reader]]] = {
    "packer": {"path": ("packer_path", TEXT), "strict": ("strict", SWITCH)},
    "offline": {"mirror": ("mirror", TEXT)},
    "build": {"parallel_builds": ("parallel_builds", _COUNT), "keep_images": ("keep_images", _COUNT)},
    "logs": {
        "max_bytes": ("logs_max_bytes", _COUNT),
        "backup_count": ("logs_backup_count", _COUNT),
        "format": ("logs_format", must_be("text or json", lambda name: name in ("text", "json"))),
        "keep_builds": ("logs_keep_builds", _COUNT),
        "keep_days": ("logs_keep_days", _COUNT),
    },
    "state": {"lock_timeout": ("lock_timeout", _COUNT), "history": ("history", _COUNT)},
    "environment": {"pass": ("environment_pass", _VARIABLES), "secrets": ("environment_secrets", _VARIABLES)},
    "attest": {"key": ("attest_key", TEXT), "trusted": ("attest_trusted", TEXT)},
    "mirrors": {"keyring": ("mirrors_keyring", TEXT)},
}
_TABLES = frozenset({"sources", "plugins", "images", "environments", "include", "retention", "channels"})


def parse_settings(text: str, *, filename: str = SETTINGS_FILE) -> Settings:
    """Read a settings file.

    Args:
        text: TOML.
        filename: the name used in errors.

    Returns:
        The settings, defaults filled in.

    Raises:
        WorkspaceError: not TOML, an unknown key or a wrong type; has faults, all of them.
    """
    if not text.strip():
        return Settings()
    data = _toml(text, filename)
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    known = sorted({*_SECTIONS, *_TABLES})
    for section, table in data.items():
        if section == "include":
            if isinstance(table, list) and all(isinstance(one, str) and is_inside(one) for one in table):
                values["include"] = tuple(table)
            else:
                faults.append(Fault("include must be a list of patterns of files in the workspace"))
        elif section not in known:
            faults.append(Fault(f"unknown setting {section!r}", hint="one of " + ", ".join(known)))
        elif not isinstance(table, dict):
            faults.append(Fault(f"[{section}] must be a table"))
        elif section == "sources":
            values["sources"] = parse_sources(table, faults)
            names = [name for name in table if not is_name(name)]
            faults += [
                Fault(f"[sources.{name}] is not a folder name", hint="letters, digits, . _ -")
                for name in names
            ]
        elif section == "plugins":
            values["plugins"] = parse_plugins(table, faults)
        elif section == "environments":
            values["max_ages"] = _max_ages(table, faults)
        elif section == "images":
            values["images"] = parse_images(table, SETTINGS_FILE, faults, text)
        elif section == "retention":
            values["retention"] = parse_retention(table, SETTINGS_FILE, faults)
        elif section == "channels":
            values["channels"] = parse_channels(table, SETTINGS_FILE, faults)
        else:
            rows = _SECTIONS[section]
            readers = {key: reader for key, (__, reader) in rows.items()}
            for key, value in read_table(table, readers, f"[{section}]", faults).items():
                values[rows[key][0]] = tuple(value) if isinstance(value, list) else value
    _take_over_keep_images(values, faults)
    if faults:
        raise WorkspaceError("the settings are not right", file=filename, faults=faults)
    return Settings(**values)


def parse_included(text: str, file: str, faults: list[Fault]) -> dict[str, ImageSetting]:
    """Read a file that the settings include, which has images alone.

    Args:
        text: TOML.
        file: its name, as shown to people.
        faults: what is wrong is added here.

    Returns:
        The images by target.

    Raises:
        WorkspaceError: the text is not TOML.
    """
    data = _toml(text, file)
    for other in data.keys() - {"images"}:
        faults.append(Fault(f"unknown setting {other!r}", file=file, hint="only [images] can be here"))
    table = data.get("images", {})
    if isinstance(table, dict):
        return parse_images(table, file, faults, text)
    faults.append(Fault("[images] must be a table", file=file))
    return {}


def _max_ages(table: Mapping[str, Any], faults: list[Fault]) -> dict[str, str]:
    """The ages of ``[environments.ENV]`` tables, by environment."""
    found = {}
    for env, entry in table.items():
        where = f"[environments.{env}]"
        if not is_name(env):
            faults.append(Fault(f"{where} is not the name of an environment", hint="letters, digits, . _ -"))
        elif not isinstance(entry, dict):
            faults.append(Fault(f"{where} must be a table"))
        elif good := read_table(entry, {"max_age": AGE}, where, faults):
            found[env] = good["max_age"]
    return found


def _take_over_keep_images(values: dict[str, Any], faults: list[Fault]) -> None:
    """``[build] keep_images``, where it is used, says what ``[retention] keep`` does; at least one stays."""
    if "keep_images" not in values:
        return
    retention = values.get("retention", RetentionSetting())
    if retention.all.keep is not None:
        hint = "leave keep_images out: it is the old name"
        faults.append(Fault("[build] keep_images and [retention] keep both say how many stay", hint=hint))
    keep = KeepSetting(max(1, values["keep_images"]), retention.all.max_age)
    values["retention"] = replace(retention, all=keep)


def _toml(text: str, filename: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorkspaceError(f"the settings are not TOML: {error}", file=filename) from error
    except RecursionError:
        raise WorkspaceError("the settings nest too deep", file=filename) from None


def is_name(text: str) -> bool:
    """Whether a text is safe as one part of a path: letters, digits, ``._-``, no leading ``.`` or ``-``."""
    return (
        bool(text)
        and text[0] not in ".-"
        and all(char.isascii() and (char.isalnum() or char in "._-") for char in text)
    )
