"""Proposes entries for a repository: which images its templates and files of values make."""

from __future__ import annotations

import glob
import itertools
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .. import platforms
from ..errors import Fault
from ..hcl import HclError, NotEvaluable
from ..image_settings import ImageSetting
from ..settings import SETTINGS_FILE, is_name
from . import guesses
from .declared import SUFFIXES, stem
from .fitting import grouped, may_fit
from .requirements import lacks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .requirements import PackerHas
    from .selection import Build
    from .survey import FoundTemplate, Known, Survey

# Attributes of provisioners and sources that name files relative to where Packer runs.
_PATHS = frozenset(
    "script scripts playbook_file playbook_dir source sources http_directory floppy_files floppy_dirs "
    "cd_files roles_path inventory_file galaxy_file".split()
)
# Sources that make no image; beside others in a template they prepare something for these.
_HELPERS = frozenset({"file", "null"})


@dataclass(frozen=True)
class Entry:
    """A table that is proposed.

    Attributes:
        setting: the table.
        images: the targets that it gives, sorted.
        notes: what was guessed, what has no value yet, what cannot work and why.
    """

    setting: ImageSetting
    images: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adoption:
    """What is proposed for a repository.

    Attributes:
        entries: tables, sorted by target.
        faults: what is not proposed, and why.
    """

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]


@dataclass
class _Draft:
    """An entry whose name is not settled: ``base``, and words that tell it from others, the best first."""

    template: FoundTemplate
    build: Build
    os: str
    base: str
    words: list[str]
    shared: tuple[str, ...]
    files: tuple[str, ...]
    notes: list[str]

    @property
    def platform(self) -> str:
        return platforms.by_source_type(self.build.source.labels[0]).name

    @property
    def pattern(self) -> str:
        return f"{self.os}/{self.platform}/{self.base}"

    def images(self) -> list[str]:
        if "{name}" not in self.base:
            return [self.pattern]
        return [self.pattern.replace("{name}", stem(file)) for file in self.files]

    def names(self) -> set[str]:
        """The names that nobody else may have: of the images, and of the table."""
        return {self.pattern, *self.images()}


def propose(
    found: Survey,
    known: Collection[Known] = (),
    packer: PackerHas | None = None,
    taken: Collection[str] = (),
) -> Adoption:
    """Propose an entry for each build of each template, with the files of values that fit it.

    A file fits a build when it sets a variable that the template declares, when no variable without a default
    stays unset that another such file sets, and when its name speaks of no other distribution or platform.
    Files that set mostly the same variables are alternatives: each is an image. The others are shared.

    Args:
        found: what lies there.
        known: the images that are targets already; nothing is proposed for these, and their names are taken.
        packer: what there is to build with; without, nothing is said about it.
        taken: names of tables that are there already.

    Returns:
        The entries, and what is not proposed.
    """
    faults = list(found.faults)
    drafts: list[_Draft] = []
    owners = frozenset(template.folder for template in found.templates)
    for template in found.templates:
        for build in template.builds:
            if _serves(build, template):
                continue
            if sum(other.name == build.name for other in template.builds) > 1:
                message = f"two builds are called {build.name}, and nobody can choose one of them"
                hint = "give the build blocks names"
                place = f"{template.folder}/{build.file.name}".removeprefix("./")
                fault = Fault(message, file=place, line=build.block.line, hint=hint)
                faults += [] if fault in faults else [fault]
                continue
            drafts += _of_build(template, build, found, owners, known, packer, faults)
    _settle_names(drafts, {*taken, *(one.target for one in known)})
    entries = [_entry(draft, found) for draft in drafts]
    return Adoption(tuple(sorted(entries, key=lambda one: one.setting.target)), tuple(faults))


def _serves(build: Build, template: FoundTemplate) -> list[Build]:
    """The images before which a helper runs, a build that makes no image; none where it is none."""
    if build.source.labels[0] not in _HELPERS:
        return []
    return [
        one
        for one in template.builds
        if one.source.labels[0] not in _HELPERS and one.name.split(".")[:-2] == build.name.split(".")[:-2]
    ]


def _of_build(
    template: FoundTemplate,
    build: Build,
    found: Survey,
    owners: frozenset[str],
    known: Collection[Known],
    packer: PackerHas | None,
    faults: list[Fault],
) -> Iterator[_Draft]:
    """The drafts of one build: one for each operating system that its files of values tell."""
    mine = [one for one in known if (one.place, one.build) == (template.place, build.name)]
    candidates = [one for one in found.values if may_fit(one, template, build, owners)]
    shared, alternatives, more = grouped(candidates, template, faults)
    taken = frozenset().union(*(one.values for one in mine))
    alternatives = [file for file in alternatives if file not in taken]
    if mine and not alternatives:
        return
    notes = [f"files that fit as well, of which one may be wanted: {', '.join(more)}"] if more else []
    if packer is not None:
        reasons = lacks(template.bodies, build.source.labels[0], packer)
        notes += [f"cannot work here: {reason}" for reason in reasons]
    names = {one.path: one.names for one in found.values}
    by_os: dict[str, tuple[str, list[str]]] = {}
    for file in alternatives or [""]:
        os, evidence = _system(template, build, file, found.name)
        by_os.setdefault(os, (evidence, []))[1].append(file)
    for os, (evidence, files) in sorted(by_os.items()):
        files = sorted(filter(None, files))
        each = _can_be_each(files)
        for some in [files] if each or not files else [[file] for file in files]:
            given = template.given.union(*(names[file] for file in (*shared, *some[:1])))
            missing = [
                name
                for name, variable in template.variables.items()
                if variable.required and not variable.runtime and name not in given
            ]
            told = [f"{os}: {evidence}"]
            if missing:
                told.append(f"no value yet for: {', '.join(missing)}")
                if near := _near(found.examples, template.folder):
                    told.append(f"files to copy without their last suffix: {', '.join(near)}")
            yield _Draft(
                template,
                build,
                os,
                *_names(template, build, some, each, found.name),
                shared=tuple(shared),
                files=tuple(some),
                notes=told + notes,
            )


def _near(examples: Sequence[str], folder: str) -> list[str]:
    """Examples in the template's folder and in the folders above it."""
    above = {folder, *map(str, PurePosixPath(folder).parents)}
    return [path for path in examples if str(PurePosixPath(path).parent) in above]


def _system(template: FoundTemplate, build: Build, file: str, root: str) -> tuple[str, str]:
    """The operating system of an image, and how it is known."""
    names = [stem(file), build.name.rpartition(".")[2], build.name] if file else [build.name]
    names += [template.own_name, str(PurePosixPath(file).parent), root]
    os, evidence = guesses.operating_system(filter(None, names))
    if os:
        return os, f"named by {evidence!r}"
    communicator = build.attributes.get("communicator")
    if communicator is not None and communicator.constant and communicator.value == "winrm":
        return "windows", "its communicator is winrm"
    return "linux", "guessed, since no name tells"


def _can_be_each(files: Sequence[str]) -> bool:
    """Whether one entry can stand for files: they are several, and their stems differ and are names."""
    stems = [stem(file) for file in files]
    return len(files) > 1 and len(set(stems)) == len(stems) and all(map(is_name, stems))


def _names(
    template: FoundTemplate, build: Build, files: Sequence[str], each: bool, root: str
) -> tuple[str, list[str]]:
    """The name of an entry, and more words in case that another has it too."""
    kind, label = build.source.labels[0], build.label
    folder = PurePosixPath(template.folder)
    words = [label, *build.name.split(".")[:-2]]
    if template.place != template.folder:
        words.append(PurePosixPath(template.own_name).name)
    if files and not each:
        words.insert(0, stem(files[0]))
    words += reversed(folder.parts)
    told = [guesses.name_part(word) for word in words if not guesses.is_empty(word, kind)]
    more = [guesses.name_part(word) for word in (*words, kind, root)]
    if each:
        return "{name}", [*told, *more]
    base = told[0] if told else guesses.name_part(label if folder.parts else root)
    telling = next((word for word in told if guesses.distributions(word)), base)
    if not guesses.distributions(base) and telling != base:
        base = telling if base in telling else f"{telling}-{base}"
    return base, [*told[1:], *more]


def _settle_names(drafts: Sequence[_Draft], taken: Collection[str]) -> None:
    """Make the names of all images different: where they meet, add a word that tells them apart."""
    for __ in range(16):
        holders: dict[str, list[_Draft]] = {}
        for draft in drafts:
            for name in draft.names():
                holders.setdefault(name, []).append(draft)
        meeting = [them for name, them in holders.items() if len(them) > 1 or name in taken]
        if not meeting:
            return
        done: set[int] = set()
        for them in meeting:
            them = [draft for draft in them if id(draft) not in done]
            done.update(map(id, them))
            _tell_apart(them)
    for number, draft in enumerate(drafts, 1):
        if any(len(holders[name]) > 1 or name in taken for name in draft.names()):
            draft.base += f"-{number}"


def _tell_apart(them: Sequence[_Draft]) -> None:
    """Add to each draft its first word that the others do not have."""
    for draft in them:
        others = [other.words for other in them if other is not draft]
        own = [word for word in draft.words if not any(word in words for words in others)]
        word = next((word for word in own if word not in draft.base), "")
        if word:
            draft.base += f"-{word}"
            draft.words.remove(word)


def _entry(draft: _Draft, found: Survey) -> Entry:
    template = draft.template
    cwd = _cwd(draft, found.paths)
    each = "{name}" in draft.base
    helpers = [one.name for one in template.builds if draft.build in _serves(one, template)]
    setting = ImageSetting(
        target=draft.pattern,
        file=SETTINGS_FILE,
        template=template.place,
        only=(*helpers, draft.build.name) if len(template.builds) > 1 else (),
        cwd=cwd if cwd != template.folder else "",
        var_files=draft.shared if each else (*draft.shared, *draft.files),
        each=tuple(_patterns(draft.files, found)) if each else (),
    )
    return Entry(setting, tuple(sorted(draft.images())), tuple(draft.notes))


def _patterns(files: Collection[str], found: Survey) -> Iterator[str]:
    """Patterns that name just these files: of a whole folder where all of its files are meant."""
    there = [path for path in found.paths if path.endswith(SUFFIXES)]
    for folder in sorted({str(PurePosixPath(file).parent) for file in files}):
        mine = sorted(file for file in files if str(PurePosixPath(file).parent) == folder)
        for suffix in SUFFIXES:
            some = [file for file in mine if file.endswith(suffix)]
            all_of_it = {
                path for path in there if str(PurePosixPath(path).parent) == folder and path.endswith(suffix)
            }
            if some and set(some) == all_of_it and len(some) > 1:
                yield f"{'' if folder == '.' else glob.escape(folder) + '/'}*{suffix}"
            else:
                yield from map(glob.escape, some)


def _cwd(draft: _Draft, paths: Collection[str]) -> str:
    """Where Packer runs: the folder, from the template's outwards, from which most named files are there."""
    folder = PurePosixPath(draft.template.folder)
    named = set(_named_paths(draft.build))
    places = [str(place) for place in (folder, *folder.parents)]
    hits = {place: sum(_normal(place, name) in paths for name in named) for place in places}
    return max(places, key=lambda place: hits[place])


def _normal(place: str, name: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(place).parts, *PurePosixPath(name).parts):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _named_paths(build: Build) -> Iterator[str]:
    """The relative paths that a build names by constants."""
    inner = (attribute for __, attribute in build.block.body.walk())
    for attribute in itertools.chain(build.attributes.values(), inner):
        if attribute.name not in _PATHS:
            continue
        try:
            value = attribute.value if attribute.constant else None
        except (HclError, NotEvaluable):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one and not one.startswith("/"):
                yield one
