"""The commands that are run, as argument tuples. An option that this Packer lacks is never passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConfigError, Fault, PackerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..options import BuildOptions
    from .capabilities import Capabilities


def fmt_command(capabilities: Capabilities, folder: str | Path) -> tuple[str, ...]:
    """Bring the files of a folder, not of the folders in it, into canonical form."""
    return (capabilities.path, "fmt", str(folder))


def validate_command(
    capabilities: Capabilities,
    template: str | Path = ".",
    *,
    var_files: Sequence[str | Path] = (),
    only: Sequence[str] = (),
) -> tuple[str, ...]:
    """Have a template checked.

    Args:
        capabilities: of this Packer.
        template: file or folder.
        var_files: files with values, later ones win.
        only: the builds that are checked, by Packer's full names; all without.
    """
    selected = [f"-only={','.join(only)}"] if only else []
    return (capabilities.path, "validate", *selected, *_var_files(var_files), str(template))


def check_command(capabilities: Capabilities, options: BuildOptions) -> None:
    """Check, before anything runs, that ``build_command`` can say to this Packer what the user asks for.

    Args:
        capabilities: of this Packer.
        options: as for ``build_command``.

    Raises:
        ConfigError: it cannot; has faults, all of them.
    """
    faults = []
    for name in ("-machine-readable", "-var-file"):
        if not capabilities.supports("build", name):
            message = f"Packer {capabilities.version} does not know {name}, which every build needs"
            faults.append(Fault(message, hint="use Packer 1.6 or newer"))
    for name, value in _asked(options):
        if not capabilities.supports("build", name):
            message = f"Packer {capabilities.version} does not know {name}"
            faults.append(Fault(message, hint=f"leave {name[1:]!r} out, or use another Packer"))
        elif name == "-on-error" and value not in capabilities.on_error:
            message = f"Packer {capabilities.version} does not know -on-error={value}"
            faults.append(Fault(message, hint="it knows " + ", ".join(sorted(capabilities.on_error))))
    for name, patterns in (("only", options.only), ("except", options.except_)):
        for pattern in patterns:
            if not pattern or "," in pattern:
                message = f"{pattern!r} cannot be a pattern of {name!r}"
                faults.append(Fault(message, hint="give several patterns as a list"))
    if faults:
        raise ConfigError("Packer cannot be told what the options say", faults=faults)


def build_command(
    capabilities: Capabilities,
    options: BuildOptions,
    template: str | Path = ".",
    *,
    var_files: Sequence[str | Path] = (),
) -> tuple[str, ...]:
    """Build what a template describes, with output for programs.

    Args:
        capabilities: of this Packer.
        options: ``only``, ``except_``, ``on_error`` and ``force`` are Packer's; the rest is ours.
            ``check_command`` has passed them.
        template: file or folder.
        var_files: files with values, later ones win.
    """
    flags = ["-machine-readable"]
    if capabilities.supports("build", "-color"):
        flags.append("-color=false")
    flags += [f"{name}={value}" if value else name for name, value in _asked(options)]
    return (capabilities.path, "build", *flags, *_var_files(var_files), str(template))


def _asked(options: BuildOptions) -> Iterator[tuple[str, str]]:
    """The options of Packer that the user asks for, with their values; what is Packer's default is not."""
    if options.on_error != "cleanup":
        yield "-on-error", options.on_error
    if options.force:
        yield "-force", ""
    if options.only:
        yield "-only", ",".join(options.only)
    if options.except_:
        yield "-except", ",".join(options.except_)


def init_command(
    capabilities: Capabilities, template: str | Path = ".", *, upgrade: bool = False
) -> tuple[str, ...]:
    """Install the plugins that a template requires.

    Raises:
        PackerError: this Packer has its plugins built in.
    """
    if not capabilities.has_init:
        raise PackerError(
            f"Packer {capabilities.version} has no init: its plugins are built in",
            hint="use Packer 1.7 or newer to install plugins",
        )
    flags = ["-upgrade"] if upgrade else []
    return (capabilities.path, "init", *flags, str(template))


def inspect_command(capabilities: Capabilities, template: str | Path = ".") -> tuple[str, ...]:
    """Have the parts of a template listed."""
    return (capabilities.path, "inspect", str(template))


def console_command(
    capabilities: Capabilities, template: str | Path = ".", *, var_files: Sequence[str | Path] = ()
) -> tuple[str, ...]:
    """Have expressions, a line each on standard input, computed in a template's scope."""
    return (capabilities.path, "console", *_var_files(var_files), str(template))


def _var_files(paths: Sequence[str | Path]) -> list[str]:
    return [f"-var-file={path}" for path in paths]
