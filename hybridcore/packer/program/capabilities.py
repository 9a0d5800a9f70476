"""What the Packer at hand can do: asked once, and remembered for as long as the program does not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ... import atomic, process
from ...errors import PackerError, ProcessError
from ...hcl.dialect import PROBE_VALUES, PROBES
from ...process.environment import child_environment
from ...temporary import folder as temporary_folder
from ...temporary import write
from .plugins import CHECKSUM, PATH_VARIABLE, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...workspace import Workspace

CACHE_FILE = "packer-capabilities.json"
# Raised when what is asked changes, so that remembered answers of before are not used.
_FORMAT = 2
_REMEMBERED = 8
_TIMEOUT_S = 60.0
_VERSION = re.compile(r"^Packer v(\d+\.\d+\.\d+\S*)", re.MULTILINE)
_COMMAND = re.compile(r"^ {4}([a-z][a-z0-9_]*) {2,}\S", re.MULTILINE)
_OPTION = re.compile(r"^ +(-[a-z][a-z-]*)", re.MULTILINE)
_ON_ERROR = re.compile(r"-on-error=\[([^\]]+)\]")
_BUILDERS = re.compile(r"known builders:\s*\[([^\]]*)\]")
_ASKED = ("build", "validate", "init")
# No builder has this name, so Packer answers with the list of those that it has.
_NO_BUILDER = 'source "hybridcore-none" "x" {}\nbuild {\n  sources = ["source.hybridcore-none.x"]\n}\n'
_NULL_BUILD = 'source "null" "x" {\n  communicator = "none"\n}\nbuild {\n  sources = ["source.null.x"]\n}\n'
# Two versions of a plugin that only says which it is: of these Packer takes the newer, or the one whose name
# comes last as a text.
_PLUGIN = "example.org/hybridcore/none"
_VERSIONS = {"1.9.0": "text", "1.10.0": "numbers"}
_REQUIRING = (
    f'packer {{\n  required_plugins {{\n    none = {{\n      source = "{_PLUGIN}"\n'
    f'      version = ">= 1.0.0"\n    }}\n  }}\n}}\n{_NULL_BUILD}'
)
_HINT = "install Packer, put it on PATH, or name it as [packer] path in packer-hybrid.toml"


@dataclass(frozen=True)
class Capabilities:
    """What a Packer can do.

    Attributes:
        path: the program, absolute.
        version: for example ``1.6.6``.
        commands: its subcommands, sorted.
        options: the options of the commands that we use, by command, sorted.
        on_error: the values that ``-on-error`` takes.
        builders: the builders that are built into it, sorted; plugins add to them.
        language: what it takes of what not every Packer takes: names of ``hcl.dialect.PROBES``.
        plugin_order: how it orders the versions of a plugin, of which it takes the last that is allowed:
            ``numbers``, or ``text``, as up to 1.9; empty where it takes none.
    """

    path: str
    version: str
    commands: tuple[str, ...] = ()
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    on_error: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    plugin_order: str = ""

    @property
    def has_init(self) -> bool:
        """Whether it reads ``required_plugins`` and installs plugins: Packer 1.7 and newer."""
        return "init" in self.commands

    @property
    def has_plugins(self) -> bool:
        """Whether it can list plugins: Packer 1.8 and newer."""
        return "plugins" in self.commands

    def supports(self, command: str, option: str) -> bool:
        """Whether a command knows an option, for example ``supports("build", "-force")``."""
        return option in dict(self.options).get(command, ())

    def to_dict(self) -> dict[str, Any]:
        """The capabilities as data."""
        return {
            "path": self.path,
            "version": self.version,
            "commands": list(self.commands),
            "has_init": self.has_init,
            "has_plugins": self.has_plugins,
            "on_error": list(self.on_error),
            "builders": list(self.builders),
            "language": list(self.language),
            "plugin_order": self.plugin_order,
        }


def parse_version(text: str) -> str | None:
    """The version in what ``packer version`` prints, also when it adds that a newer one is out."""
    found = _VERSION.search(text)
    return found[1] if found else None


def find_packer(packer_path: str) -> str:
    """Find the program.

    Args:
        packer_path: a name to look up on PATH, or a path.

    Returns:
        Its absolute path; symbolic links stay, since they may be how it is updated.

    Raises:
        PackerError: there is none.
    """
    found = shutil.which(os.path.expanduser(packer_path))
    if found is None:
        raise PackerError(f"Packer was not found as {packer_path!r}", hint=_HINT)
    return os.path.abspath(found)


def path_of(workspace: Workspace) -> str:
    """The Packer of a workspace: as the settings name it, or that of its mirror where there is no other."""
    named = workspace.settings.packer_path
    bundled = workspace.mirror / "packer" / "packer" if workspace.mirror else None
    missing = bundled is not None and shutil.which(os.path.expanduser(named)) is None
    return str(bundled) if missing and os.access(str(bundled), os.X_OK) else named


def probe(
    packer_path: str,
    *,
    runner: Callable[..., process.Completed] = process.run,
    cache_dir: Path | None = None,
) -> Capabilities:
    """Learn what a Packer can do.

    Args:
        packer_path: a name to look up on PATH, or a path.
        runner: runs a program, as ``process.run`` does.
        cache_dir: folder for what was learnt; nothing is remembered without.

    Returns:
        Its capabilities; from the cache while path, size, time and inode of the program are the same.

    Raises:
        PackerError: there is no Packer there, or it does not answer like one.
    """
    path = find_packer(packer_path)
    try:
        status = os.stat(path)
    except OSError as error:
        raise PackerError(f"cannot look at {path}: {error.strerror}", hint=_HINT) from error
    identity = _identity(path, status)
    cached = _read_cache(cache_dir)
    if identity in cached:
        return cached[identity]
    try:
        capabilities = _ask(path, runner)
    except ProcessError as error:
        raise PackerError(f"{path} cannot be run: {error.message}", hint=_HINT) from error
    if cache_dir is not None:
        _write_cache(cache_dir, {**cached, identity: capabilities})
    return capabilities


def known(workspace: Workspace) -> Capabilities | None:
    """What the Packer of a workspace can do where it was asked before; no program is run."""
    try:
        path = find_packer(path_of(workspace))
        identity = _identity(path, os.stat(path))
    except (PackerError, OSError):
        return None
    return _read_cache(_cache_dir(workspace)).get(identity)


def _identity(path: str, status: os.stat_result) -> str:
    """What tells one program from another, and a program from itself after an update."""
    return f"{_FORMAT}:{path}:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _cache_dir(workspace: Workspace) -> Path:
    return workspace.state_dir / "cache"


def probe_workspace(workspace: Workspace) -> Capabilities:
    """What the Packer of a workspace can do; see ``probe``."""
    return probe(path_of(workspace), cache_dir=_cache_dir(workspace))


def probe_for_check(workspace: Workspace) -> tuple[Capabilities, str]:
    """The same where things are only checked, and Packer may be installed first.

    Args:
        workspace: its settings name the Packer.

    Returns:
        The capabilities, of one that can do nothing where there is no Packer; and what is missing then.

    Raises:
        PackerError: what is there does not answer like Packer.
    """
    path = path_of(workspace)
    try:
        find_packer(path)
    except PackerError as error:
        return Capabilities(path=os.path.abspath(path), version="(not installed)"), str(error)
    return probe_workspace(workspace), ""


def _ask(path: str, runner: Callable[..., process.Completed]) -> Capabilities:
    with temporary_folder() as folder:
        # Only what is built in counts: no plugin of the user, and nothing is left behind in TMPDIR.
        nowhere = f"{folder}/none"
        env = child_environment({"TMPDIR": str(folder), "PACKER_CONFIG_DIR": nowhere, PATH_VARIABLE: nowhere})

        def run(*command: str, more: Mapping[str, str] = MappingProxyType({})) -> process.Completed:
            return runner(command, env={**env, **more}, cwd=folder, timeout=_TIMEOUT_S)

        def ask(*arguments: str) -> str:
            done = run(path, *arguments)
            return f"{done.stdout}\n{done.stderr}"

        answer = run(*version_command(path))
        version = parse_version(answer.stdout)
        if version is None:
            raise PackerError(
                f"{path} does not answer like Packer",
                hint="another program may have the same name, as that of cracklib; " + _HINT,
            )
        commands = tuple(sorted(set(_COMMAND.findall(ask("--help")))))
        help_texts = {name: ask(name, "--help") for name in _ASKED if name in commands}
        on_error = _ON_ERROR.search(help_texts.get("build", ""))
        write(folder / "none.pkr.hcl", _NO_BUILDER.encode())
        builders = _BUILDERS.search(ask("validate", "."))
        order = _plugin_order(path, folder, run) if "init" in commands else ""
        language = tuple(trait for trait, text in PROBES.items() if _takes(trait, text, path, folder, run))
        return Capabilities(
            path=path,
            version=version,
            commands=commands,
            options=tuple(
                (name, tuple(sorted(set(_OPTION.findall(text))))) for name, text in help_texts.items()
            ),
            on_error=tuple(sorted(on_error[1].split("|"))) if on_error else (),
            builders=tuple(sorted(builders[1].split())) if builders else (),
            language=language,
            plugin_order=order,
        )


def _takes(
    trait: str,
    text: str,
    path: str,
    folder: Path,
    run: Callable[..., process.Completed],
) -> bool:
    """Whether a Packer takes the template that shows one of its traits for valid."""
    template, values = folder / f"{trait}.pkr.hcl", folder / f"{trait}.pkrvars.hcl"
    write(template, (text + _NULL_BUILD).encode())
    write(values, PROBE_VALUES.get(trait, "").encode())
    return run(path, "validate", f"-var-file={values}", str(template)).returncode == 0


def _plugin_order(path: str, folder: Path, run: Callable[..., process.Completed]) -> str:
    """Which of two versions of a plugin it takes; the plugins write down that they were asked."""
    root, asked = folder / "plugins", folder / "asked"
    for version in _VERSIONS:
        told = json.dumps({"version": version, "sdk_version": "0.4.0", "api_version": "x5.0"})
        program = root / _PLUGIN / f"packer-plugin-none_v{version}_x5.0_{machine()}"
        program.parent.mkdir(parents=True, exist_ok=True)
        content = f"#!/bin/sh\necho {version} >>'{asked}'\necho '{told}'\n".encode()
        write(program, content)
        program.chmod(0o700)
        write(program.with_name(program.name + CHECKSUM), hashlib.sha256(content).hexdigest().encode())
    template = folder / "plugins.pkr.hcl"
    write(template, _REQUIRING.encode())
    run(path, "validate", str(template), more={PATH_VARIABLE: str(root)})
    try:
        # The first line is of the plugin that was taken; newer Packers start the others after it.
        return _VERSIONS.get(asked.read_text(encoding="ascii").split()[0], "")
    except (FileNotFoundError, IndexError):
        return ""


def _read_cache(cache_dir: Path | None) -> dict[str, Capabilities]:
    """What was learnt; nothing when the file is missing or damaged, since it can be learnt again."""
    if cache_dir is None:
        return {}
    try:
        data = json.loads((cache_dir / CACHE_FILE).read_text(encoding="utf-8"))
        return {identity: _from_json(entry) for identity, entry in data.items()}
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return {}


def _from_json(entry: Mapping[str, Any]) -> Capabilities:
    return Capabilities(
        path=entry["path"],
        version=entry["version"],
        commands=tuple(entry["commands"]),
        options=tuple((name, tuple(options)) for name, options in entry["options"]),
        on_error=tuple(entry["on_error"]),
        builders=tuple(entry["builders"]),
        language=tuple(entry["language"]),
        plugin_order=entry["plugin_order"],
    )


def _write_cache(cache_dir: Path, known: Mapping[str, Capabilities]) -> None:
    """Remember what was learnt; not being able to is no reason to fail."""
    newest = dict(list(known.items())[-_REMEMBERED:])
    text = json.dumps({identity: asdict(entry) for identity, entry in newest.items()}, indent=1)
    with contextlib.suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        atomic.replace(cache_dir / CACHE_FILE, text.encode())


def version_command(packer: str) -> tuple[str, ...]:
    """Ask for the version."""
    return (packer, "version")
