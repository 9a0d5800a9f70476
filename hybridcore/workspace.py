"""The workspace: every path that the system reads or writes."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Fault, HybridError, WorkspaceError
from .setting_tables import table_lines
from .settings import SETTINGS_FILE, Settings, is_name, parse_included, parse_settings

if TYPE_CHECKING:
    from .image_settings import ImageSetting

ENVIRONMENT_VARIABLE = "HYBRIDCORE_WORKSPACE"


@dataclass(frozen=True)
class Workspace:
    """A folder with ``packer-hybrid.toml``, and where everything lies in it.

    Attributes:
        root: the folder, absolute, symbolic links resolved.
        settings: what its settings file says.
    """

    root: Path
    settings: Settings = field(default_factory=Settings)

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

    def entry_fault(self, section: str, name: str, error: HybridError | OSError) -> Fault:
        """What is wrong with an entry of the settings, with the line of its table.

        Args:
            section: ``sources``, as for ``table_lines``.
            name: of the entry.
            error: what happened, or what is wrong.
        """
        text, hint = (error.message, error.hint) if isinstance(error, HybridError) else (str(error), "")
        file = self.root / SETTINGS_FILE
        line = table_lines(file.read_text(encoding="utf-8"), section).get(name)
        return Fault(f"{name}: {text}", file=file, line=line, hint=hint)


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
    folder = nearest(start or ".")
    if folder is None:
        raise WorkspaceError(
            f"no {SETTINGS_FILE} in {os.path.realpath(start or '.')} or any folder above it",
            hint=f"create an empty {SETTINGS_FILE} there, or name the workspace with --workspace",
        )
    return open_workspace(folder)


def nearest(start: str | Path) -> Path | None:
    """The nearest folder with a settings file, right or not, at or above a folder; None without one."""
    here = Path(os.path.realpath(start))
    return next((folder for folder in (here, *here.parents) if (folder / SETTINGS_FILE).is_file()), None)


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
            except (OSError, UnicodeDecodeError) as error:
                faults.append(Fault(f"cannot be read: {error}", file=name))
                continue
            more = parse_included(text, name, faults)
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
