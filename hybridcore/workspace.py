"""The workspace: every path that the system reads or writes, and its settings file."""

from __future__ import annotations

import errno
import os
import re
import reprlib
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Fault, WorkspaceError
from .image_settings import ImageSetting, age_s, is_inside, parse_images
from .plugin_settings import PluginSetting, parse_plugins
from .source_settings import SourceSetting, parse_sources
from .version_settings import ChannelSetting, KeepSetting, RetentionSetting, parse_channels, parse_retention

SETTINGS_FILE = "packer-hybrid.toml"
ENVIRONMENT_VARIABLE = "HYBRIDCORE_WORKSPACE"

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


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


# Section and key of the settings file, to the field of Settings and its type.
_KEYS: Mapping[tuple[str, str], tuple[str, type]] = {
    ("packer", "path"): ("packer_path", str),
    ("packer", "strict"): ("strict", bool),
    ("offline", "mirror"): ("mirror", str),
    ("build", "parallel_builds"): ("parallel_builds", int),
    ("build", "keep_images"): ("keep_images", int),
    ("logs", "max_bytes"): ("logs_max_bytes", int),
    ("logs", "backup_count"): ("logs_backup_count", int),
    ("logs", "format"): ("logs_format", str),
    ("logs", "keep_builds"): ("logs_keep_builds", int),
    ("logs", "keep_days"): ("logs_keep_days", int),
    ("state", "lock_timeout"): ("lock_timeout", int),
    ("state", "history"): ("history", int),
    ("environment", "pass"): ("environment_pass", tuple),
    ("environment", "secrets"): ("environment_secrets", tuple),
    ("attest", "key"): ("attest_key", str),
    ("attest", "trusted"): ("attest_trusted", str),
    ("mirrors", "keyring"): ("mirrors_keyring", str),
}
_KINDS = {str: "a string", int: "a whole number", bool: "true or false"}
_VARIABLES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?").fullmatch


@dataclass(frozen=True)
class Workspace:
    """A folder with ``packer-hybrid.toml``, and where everything lies in it.

    Attributes:
        root: the folder, absolute, symbolic links resolved.
        settings: what its settings file says.
    """

    root: Path
    settings: Settings = Settings()

    @property
    def templates(self) -> Path:
        """Build templates, ``<os>/<platform>/<name>/*.pkr.hcl``, and the provisioners' assets."""
        return self.root / "templates"

    @property
    def environments(self) -> Path:
        """Overlays, a folder for each environment."""
        return self.root / "environments"

    @property
    def configs(self) -> Path:
        """Rendered configuration, ``<env>/<target>.pkrvars.hcl``."""
        return self.root / "configs"

    @property
    def sources(self) -> Path:
        """Clones of the pinned repositories."""
        return self.root / "sources"

    @property
    def plugins(self) -> Path:
        """Packer's plugins of this workspace alone, in the layout of ``PACKER_PLUGIN_PATH``."""
        return self.root / ".packer-plugins"

    @property
    def mirror(self) -> Path | None:
        """The folder that stands for the network offline: a bundle, or repositories; None without one."""
        return Path(os.path.normpath(self.root / self.settings.mirror)) if self.settings.mirror else None

    @property
    def state_dir(self) -> Path:
        """The folder of the state, its lock and its last good copy."""
        return self.root / "state"

    @property
    def state_file(self) -> Path:
        """What was built from what."""
        return self.state_dir / "packer-hybrid.json"

    @property
    def contents(self) -> Path:
        """What is installed in the versions of images, a document for each digest."""
        return self.state_dir / "contents"

    @property
    def attestations(self) -> Path:
        """How the versions of images came to be, signed, an envelope for each digest."""
        return self.state_dir / "attestations"

    @property
    def logs(self) -> Path:
        """The shared log, and a log for each build under ``builds/``."""
        return self.root / "logs"

    @property
    def images(self) -> Path:
        """Image files, ``<env>/<target>/``."""
        return self.root / "images"

    @property
    def runs(self) -> Path:
        """Folders of running builds; on the file system of the images, so that results can be renamed."""
        return self.images / ".runs"

    def config_file(self, env: str, target: str) -> Path:
        """The rendered configuration of a target in an environment."""
        return self.configs / env / f"{target}.pkrvars.hcl"

    def holds(self, path: Path) -> bool:
        """Whether a path is inside, symbolic links followed, also those to nowhere or in a circle."""
        text, root = os.fspath(path), str(self.root)
        if text.startswith(f"{root}/") and "/../" not in f"{text}/":
            # Most paths have no link in them; to look for one is a fraction of the work of `realpath`.
            while len(text) > len(root) and not os.path.islink(text):
                text = text.rpartition("/")[0]
            if len(text) <= len(root):
                return True
        return Path(os.path.realpath(path)).is_relative_to(self.root)

    def relative(self, path: Path) -> str:
        """A path as it is shown to people: relative to the workspace where it lies inside."""
        try:
            return str(path.relative_to(self.root))
        except ValueError:
            return str(path)


def find(start: str | Path | None = None) -> Workspace:
    """Find the workspace: ``HYBRIDCORE_WORKSPACE``, or the nearest folder upwards with a settings file.

    Args:
        start: folder to start from; the current folder when not given. The environment variable
            is only looked at when this is not given.

    Returns:
        The workspace, its settings read.

    Raises:
        WorkspaceError: there is none, or its settings file is not right.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE) if start is None else None
    if named:
        return open_workspace(named)
    here = Path(os.path.realpath(start or "."))
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).is_file():
            return open_workspace(folder)
    raise WorkspaceError(
        f"no {SETTINGS_FILE} in {here} or any folder above it",
        hint=f"create an empty {SETTINGS_FILE} there, or name the workspace with --workspace",
    )


def open_workspace(root: str | Path) -> Workspace:
    """Open the workspace in a given folder.

    Args:
        root: the folder that holds ``packer-hybrid.toml``.

    Returns:
        The workspace, its settings read.

    Raises:
        WorkspaceError: the folder or the file is missing, or a setting is not right; has faults.
    """
    folder = Path(os.path.realpath(Path(root).expanduser()))
    file = folder / SETTINGS_FILE
    try:
        text = read_plain(file).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise WorkspaceError(
            f"{folder} is not a workspace: it has no {SETTINGS_FILE}",
            hint="an empty file is enough",
        ) from None
    except OSError as error:
        raise WorkspaceError(f"cannot read the settings: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise WorkspaceError(f"is not UTF-8 at byte {error.start}", file=file) from error
    settings = parse_settings(text, filename=str(file))
    if settings.include:
        settings = replace(settings, images=_included(folder, settings))
    return Workspace(folder, settings)


def _included(root: Path, settings: Settings) -> dict[str, ImageSetting]:
    """The images of the settings and of the files that they include."""
    import glob

    faults: list[Fault] = []
    images = dict(settings.images)
    for pattern in settings.include:
        names = sorted(glob.glob(pattern, root_dir=root))
        if not names:
            faults.append(Fault(f"include: no file is named by {pattern!r}", file=SETTINGS_FILE))
        for name in names:
            try:
                text = read_plain(root / name).decode("utf-8")
                data = _toml(text, name)
            except (OSError, UnicodeDecodeError) as error:
                faults.append(Fault(f"cannot be read: {error}", file=name))
                continue
            for other in data.keys() - {"images"}:
                faults.append(
                    Fault(f"unknown setting {other!r}", file=name, hint="only [images] can be here")
                )
            more = parse_images(data.get("images") or {}, name, faults, text)
            for target in more.keys() & images.keys():
                faults.append(Fault(f"{target} is declared in {images[target].file} too", file=name))
            images |= more
    if faults:
        raise WorkspaceError("the settings are not right", faults=faults)
    return images


def read_plain(path: Path) -> bytes:
    """Read a file of the user whole.

    Args:
        path: the file, or a symbolic link to it.

    Returns:
        What it holds.

    Raises:
        OSError: it cannot be read, or is no plain file; reading a named pipe or a device might never end.
    """
    # With O_NONBLOCK the opening of a named pipe does not wait for somebody who writes into it.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        with open(fd, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(fd)


def resolve(workspace: Workspace | None) -> Workspace:
    """The workspace that a public function was given, or else the one that ``find`` finds."""
    return workspace if workspace is not None else find()


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
    tables = {"sources", "plugins", "images", "environments", "include", "retention", "channels"}
    known = sorted({section for section, __ in _KEYS} | tables)
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
            _section(section, table, values, faults)
    _take_over_keep_images(values, faults)
    if faults:
        raise WorkspaceError("the settings are not right", file=filename, faults=faults)
    return Settings(**values)


def _max_ages(table: Mapping[str, Any], faults: list[Fault]) -> dict[str, str]:
    """The ages of ``[environments.ENV]`` tables, by environment."""
    found = {}
    for env, entry in table.items():
        where = f"[environments.{env}]"
        if not is_name(env):
            faults.append(Fault(f"{where} is not the name of an environment", hint="letters, digits, . _ -"))
        elif not isinstance(entry, dict):
            faults.append(Fault(f"{where} must be a table"))
        else:
            for key, value in entry.items():
                if key != "max_age":
                    faults.append(Fault(f"unknown setting {key!r} in {where}", hint="one of max_age"))
                elif not isinstance(value, str) or not age_s(value):
                    faults.append(
                        Fault(f"{where} max_age must be an age such as 7d or 12h, not {value!r:.80}")
                    )
                else:
                    found[env] = value
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


def _section(section: str, table: dict[str, Any], values: dict[str, Any], faults: list[Fault]) -> None:
    for key, value in table.items():
        if (section, key) not in _KEYS:
            names = ", ".join(name for of, name in _KEYS if of == section)
            faults.append(Fault(f"unknown setting {key!r} in [{section}]", hint=f"one of {names}"))
            continue
        name, kind = _KEYS[section, key]
        if kind is tuple:
            if isinstance(value, list) and all(isinstance(one, str) and _VARIABLES(one) for one in value):
                values[name] = tuple(value)
            else:
                hint = 'as in ["VAULT_ADDR", "OS_*"]'
                message = f"[{section}] {key} must be a list of names of variables, not {reprlib.repr(value)}"
                faults.append(Fault(message, hint=hint))
        elif not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            faults.append(Fault(f"[{section}] {key} must be {_KINDS[kind]}, not {reprlib.repr(value)}"))
        elif isinstance(value, int) and value < 0:
            faults.append(Fault(f"[{section}] {key} must not be negative"))
        elif name == "logs_format" and value not in ("text", "json"):
            faults.append(Fault(f"[logs] format must be text or json, not {value!r}"))
        else:
            values[name] = value


def is_name(text: str) -> bool:
    """Whether a text is safe as one part of a path: letters, digits, ``._-``, no leading ``.`` or ``-``."""
    return (
        bool(text)
        and text[0] not in ".-"
        and all(char.isascii() and (char.isalnum() or char in "._-") for char in text)
    )


def check_env(env: str) -> str:
    """Check the name of an environment, since it becomes part of paths.

    Raises:
        WorkspaceError: it is not a plain name.
    """
    if not is_name(env):
        raise WorkspaceError(
            f"{env!r} is not the name of an environment", hint="letters, digits, . _ -, as in dev"
        )
    return env
