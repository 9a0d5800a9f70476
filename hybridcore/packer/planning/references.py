"""What a template refers to: files of the workspace, local disks, variables of the environment.

Every attribute is taken apart: what can be known before the build (see ``scope``) is followed, each part of
an expression by itself, so that one unknown hides nothing else; of a path whose end is unknown, the folder
counts. What cannot be followed is told.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Fault
from ...hcl import HclError, NotEvaluable
from ...hcl.expressions import references as names_in
from ...hcl.nodes import Access, Call, For, Node, Variable, children
from ...hcl.nodes import Template as Text
from ...hcl.values import Refused, to_text
from ...templates.declarations import is_marked
from .scope import FILE_FUNCTIONS, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...hcl import Attribute, Body
    from ...templates import Template
    from ...workspace import Workspace
    from .rendered import Rendered

# Attributes that name what a build writes: no input of it.
_WRITTEN = frozenset({"output", "output_directory", "output_dir", "target", "destination", "log_file"})
# Attributes that name a playbook or a manifest of Puppet: what lies around that file is read too.
_PLAYS = frozenset({"playbook_file", "playbook_files", "manifest_file"})
# What Ansible and Puppet look for beside an entry file; https://docs.ansible.com, "Sample directory layout".
_BESIDE = (
    "roles group_vars host_vars library module_utils filter_plugins lookup_plugins action_plugins tasks "
    "handlers vars files ansible.cfg requirements.yml modules data hiera.yaml hieradata"
).split()
# Attributes whose value is nothing but paths on this machine: one that is not known before the build is told.
_PATHS = frozenset(
    """
    script scripts playbook_file playbook_files playbook_dir playbook_paths role_paths roles_path
    collections_path group_vars host_vars inventory_file inventory_directory galaxy_file requirements
    manifest_file manifest_dir module_paths hiera_config_path source sources floppy_files floppy_dirs cd_files
    http_directory iso_url iso_urls user_data_file custom_data_file
    """.split()
)
# Texts in which a path may stand behind a name: ``FILE=../x``, ``-e @../x``. Folders there may be written to.
_ARGUMENTS = frozenset({"environment_vars", "env", "ansible_env_vars", "extra_arguments"})
# What only the build itself knows, and no file of the workspace comes from.
_OF_THE_BUILD = ("build.", "source.", "var.hybridcore_", "packer.", "data.")
_VARIABLE = re.compile(r"\b(var|local)\.([A-Za-z_][\w-]*)").findall
_TOKEN = re.compile(r"[^\s\"'`=:;,@|&<>()\[\]{}]+").findall
_LONGEST = 64 * 1024
_MOST_ROUNDS = 1000


@dataclass(frozen=True)
class References:
    """What a template refers to.

    Attributes:
        files: files and folders, sorted: those of the workspace besides the template's own folder, but for
            what a run writes (``configs/``, ``logs/``, ``state/``, folders of ``images/``); and local disks
            without a checksum of their own, wherever they are.
        environment: the variables of the environment that it reads, by name.
        places: where each of the files is named: file, line and attribute; an empty text where an expression
            reads it.
        unfollowed: what is not known before the build, each with file and line.
    """

    files: tuple[Path, ...]
    places: Mapping[Path, str]
    environment: Mapping[str, str]
    unfollowed: tuple[Fault, ...]


def follow(
    template: Template, rendered: Rendered, workspace: Workspace, environ: Mapping[str, str]
) -> References:
    """Find what a template refers to.

    Args:
        template: what its files say.
        rendered: its configuration.
        workspace: where to look.
        environ: the environment of the build.
    """
    return _Follower(template, rendered, workspace, environ).all()


class _Follower:
    def __init__(
        self, template: Template, rendered: Rendered, workspace: Workspace, environ: Mapping[str, str]
    ) -> None:
        self._template = template
        self._workspace = workspace
        self._environ = environ
        self._scope = Scope(template, rendered, environ)
        self._with_slash = {
            (root, name)
            for root in ("var", "local")
            for name, value in self._scope.values[root].items()
            if "/" in str(value)
        }
        self._of_the_build = (
            *_OF_THE_BUILD,
            *(f"var.{one.name}" for one in template.variables.values() if one.told),
        )
        # Disks that a source starts from count wherever they lie, also outside of the workspace.
        self._disks = {*template.platform.disks, "iso_checksum"}
        self._found: dict[Path, str] = {}
        self._unfollowed: set[Fault] = set()
        self._place: tuple[Path, Attribute]
        self._in_an_attribute = False

    def all(self) -> References:
        # Variables and locals that the image does not use have been computed too: what they read is no input.
        self._scope.read_files.clear()
        self._scope.read_names.clear()
        for path, block, owner, attribute in self._template.used():
            self._scope.secret = is_marked(block.body.attributes.get("sensitive"))
            self._place, self._in_an_attribute = (path, attribute), True
            self._attribute(attribute, owner)
        self._in_an_attribute = False
        for text in self._scope.read_files:
            self._take(text, base=self._template.folder)
        return References(
            tuple(sorted(self._found)),
            self._found,
            {name: self._environ.get(name, "") for name in sorted(self._scope.read_names)},
            tuple(sorted(self._unfollowed, key=Fault.sort_key)),
        )

    def _attribute(self, attribute: Attribute, owner: Body) -> None:
        name = attribute.name
        if (
            not self._may_name_something(attribute)
            or name in _WRITTEN
            or (name in self._disks and self._has_checksum(owner))
        ):
            return
        try:
            texts = list(_flat(attribute.value) if attribute.constant else self._texts(attribute.node, {}))
        except HclError:
            return  # Packer says what is wrong with it
        for text in texts:
            self._take(text, anywhere=name in self._disks, plays=name in _PLAYS)
            for token in _TOKEN(text[:_LONGEST]) if name in _ARGUMENTS else ():
                self._take(token, files_only=True)

    def _may_name_something(self, attribute: Attribute) -> bool:
        """Whether it is worth a closer look: most attributes name no file and read no environment."""
        text = attribute.expression
        return (
            "/" in text
            or "env(" in text
            or "file" in text
            or attribute.name in _PATHS
            or not self._with_slash.isdisjoint(_VARIABLE(text))
        )

    def _texts(self, node: Node, loops: Mapping[str, object]) -> Iterator[str]:
        """The texts that a value holds; where it is not known, those of its parts."""
        try:
            value = self._scope.compute(node, loops)
        except NotEvaluable:
            yield from self._parts(node, loops)
        else:
            yield from _flat(value)

    def _parts(self, node: Node, loops: Mapping[str, object]) -> Iterator[str]:
        match node:
            case For():
                yield from self._rounds(node, loops)
            case Text() if self._is_below_a_known_folder(node, loops):
                return
            case Call(name=name, arguments=(path, *others)) if name in FILE_FUNCTIONS:
                try:
                    self._scope.read_files.append(to_text(self._scope.compute(path, loops)))
                except (NotEvaluable, Refused):
                    yield from self._parts(path, loops)
                for argument in others:
                    yield from self._texts(argument, loops)
            case Access(source=Variable()) | Variable():
                self._is_unknown(", ".join(names_in(node)))
            case _:
                if isinstance(node, Call) and not self._scope.knows(node.name):
                    self._is_unknown(f"{node.name}()")
                for part in children(node):
                    yield from self._texts(part, loops)

    def _rounds(self, node: For, loops: Mapping[str, object]) -> Iterator[str]:
        """The texts of a loop, each round by itself where the collection is known."""
        try:
            collection = self._scope.compute(node.collection, loops)
        except NotEvaluable:
            yield from self._texts(node.collection, loops)
            yield from self._texts(node.value, loops)
            return
        pairs = list(collection.items() if isinstance(collection, dict) else enumerate(_listed(collection)))
        for key, value in pairs[:_MOST_ROUNDS]:
            inner = {**loops, node.value_name: value}
            if node.key_name:
                inner[node.key_name] = key
            yield from self._texts(node.value, inner)

    def _is_below_a_known_folder(self, node: Text, loops: Mapping[str, object]) -> bool:
        """Whether a text is a path whose folder is known, though its end is not; the folder counts then."""
        known = ""
        for part in node.parts:
            try:
                known += to_text(self._scope.compute(part, loops))
            except (NotEvaluable, Refused):
                break
        folder = known[: known.rfind("/") + 1]
        if not folder:
            return False
        home = self._template.folder
        if self._template.slice is None and _joined(self._template.cwd, folder).is_relative_to(home):
            return True  # it counts as a whole already
        path = self._existing(folder, self._template.cwd, anywhere=False)
        if path is None or not path.is_dir():
            return False
        self._find(path)
        self._tell(
            f"a path in it is not known before the build: all of {self._workspace.relative(path)} counts"
        )
        return True

    def _is_unknown(self, what: str) -> None:
        if self._place[1].name in _PATHS and not what.startswith(self._of_the_build):
            self._tell(f"{what} is not known before the build: what it names does not count as an input")

    def _tell(self, message: str) -> None:
        path, attribute = self._place
        file = self._workspace.relative(path)
        self._unfollowed.add(Fault(f"{attribute.name}: {message}", file=file, line=attribute.line))

    def _has_checksum(self, body: Body) -> bool:
        """Whether a digest decides what a disk holds; one that lies in a file is no such digest."""
        checksum = body.attributes.get("iso_checksum")
        if checksum is None:
            return False
        try:
            value = self._scope.compute(checksum.node)
        except (NotEvaluable, HclError):
            return True
        return value not in ("none", "", None) and not str(value).startswith("file:")

    def _take(
        self,
        text: str,
        *,
        base: Path | None = None,
        anywhere: bool = False,
        plays: bool = False,
        files_only: bool = False,
    ) -> None:
        path = self._existing(text, base or self._template.cwd, anywhere=anywhere)
        if path is None or (files_only and not path.is_file()):
            return
        for one in _with_its_roles(path, self._template, self._workspace) if plays else (path,):
            self._find(one)

    def _find(self, path: Path) -> None:
        place = ""
        if self._in_an_attribute:
            file, attribute = self._place
            place = f"{self._workspace.relative(file)}:{attribute.line}: {attribute.name}"
        self._found.setdefault(path, place)

    def _existing(self, text: str, base: Path, *, anywhere: bool) -> Path | None:
        """The file or folder that a text names, seen from a folder, if it counts."""
        text = text.removeprefix("file:").removeprefix("//") if text.startswith("file:") else text
        home, workspace = self._template.folder, self._workspace
        sliced = self._template.slice is not None
        if not text or not ("/" in text or sliced) or "\n" in text or "\0" in text or len(text) > 4000:
            return None
        path = _joined(base, text)
        if home.is_relative_to(path) or (path.is_relative_to(home) and not sliced):
            return None
        if not path.is_relative_to(workspace.root):
            return path if anywhere and path.is_file() else None
        written = (workspace.configs, workspace.logs, workspace.state_dir)
        if any(path.is_relative_to(one) for one in written):
            return None
        if path.is_relative_to(workspace.images):
            return path if path.is_file() else None
        return path if path.exists() else None


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict):
        yield from _flat(list(value.values()))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _with_its_roles(path: Path, template: Template, workspace: Workspace) -> list[Path]:
    """The folder of a playbook; where that is the workspace, or holds templates, what it takes from there."""
    folder = path.parent
    if not folder.is_relative_to(workspace.root):
        return [path]
    if folder == workspace.root or template.folder.is_relative_to(folder):
        return [path, *(folder / name for name in _BESIDE if (folder / name).exists())]
    return [folder]


def _joined(base: Path, text: str) -> Path:
    return Path(os.path.normpath(base / text))
