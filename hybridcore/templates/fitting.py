"""Which files of values fit a build, and which of them stand beside each other as alternatives."""

from __future__ import annotations

import itertools
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import Fault
from . import guesses
from .declared import stem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .selection import Build
    from .survey import FoundTemplate, ValuesFile

# Files of values whose variables are the same to this part are alternatives, one image each.
_ALIKE = 0.5
_TRIALS = frozenset({"test", "tests", "example", "examples"})


def may_fit(one: ValuesFile, template: FoundTemplate, build: Build, owners: frozenset[str]) -> bool:
    """Whether a file of values can belong to a build, by what it sets, where it lies and its name.

    Args:
        one: the file.
        template: the template.
        build: one of its builds.
        owners: the folders that hold templates; a file belongs to the nearest of them above it.
    """
    if not one.names & template.variables.keys():
        return False
    folders = [str(folder) for folder in PurePosixPath(one.path).parents]
    owner = next((folder for folder in folders if folder in owners), None)
    if owner not in (None, template.folder):
        return False
    trials = _TRIALS.intersection(PurePosixPath(one.path).parent.parts)
    if trials - set(PurePosixPath(template.folder).parts):
        return False
    if guesses.other_platform(stem(one.path), build.source.labels[0]):
        return False
    mine = guesses.distributions(" ".join((build.name, template.own_name)))
    told = guesses.distributions(stem(one.path))
    if mine and told and not mine & told:
        return False
    named = [other.name for other in template.builds if _called(stem(one.path)) in _labels(other)]
    return not named or build.name in named


def _called(name: str) -> str:
    return name.lower().replace("_", "-")


def _labels(build: Build) -> set[str]:
    """The build's own name and that of its source."""
    return {_called(build.label), *map(_called, build.name.split(".")[:-2])}


def grouped(
    candidates: Sequence[ValuesFile], template: FoundTemplate, faults: list[Fault]
) -> tuple[list[str], list[str], list[str]]:
    """Tell files that are shared from those that are alternatives.

    Args:
        candidates: files that may fit.
        template: the template.
        faults: where to add alternatives that leave a variable without a value.

    Returns:
        The shared ones, from the root inwards; the alternatives; and alternatives of another kind, left out.
    """
    variables = template.variables.keys()
    names = {one.path: one.names & variables for one in candidates}
    needed = {name for name, one in template.variables.items() if one.required} - template.given
    needed &= frozenset().union(*names.values())
    clusters: list[list[str]] = []
    for path in sorted(names):
        near = [one for one in clusters if any(_alike(names[path], names[other], needed) for other in one)]
        clusters = [one for one in clusters if one not in near] + [[*itertools.chain(*near), path]]
    nearest = [_nearest(one, template.folder) for one in clusters]
    single = [one[0] for one in nearest if len(one) == 1]
    several = sorted(
        (one for one in nearest if len(one) > 1),
        key=lambda one: (-len(needed.intersection(*(names[path] for path in one))), -len(one), one),
    )
    shared = sorted(single, key=lambda path: (path.count("/"), path))
    if not several:
        return shared, [], []
    set_by_shared = frozenset().union(*(names[path] for path in shared))
    fitting = []
    for path in sorted(several[0]):
        lacking = sorted(needed - names[path] - set_by_shared)
        if lacking and len(several) == 1:
            message = f"does not fit {template.place}: it leaves {', '.join(lacking)} without a value"
            faults.append(Fault(message, file=path))
        else:
            fitting.append(path)
    return shared, fitting, sorted(itertools.chain(*several[1:]))


def _alike(one: frozenset[str], other: frozenset[str], needed: Collection[str]) -> bool:
    both = one & other
    return len(both) >= _ALIKE * min(len(one), len(other)) or bool(needed and both.issuperset(needed))


def _nearest(files: Sequence[str], folder: str) -> list[str]:
    """Of alternatives those that lie nearest to the template."""
    deep = {path: _common(path, folder) for path in files}
    return [path for path in files if deep[path] == max(deep.values())]


def _common(path: str, folder: str) -> int:
    """How many folders, from the root on, a file and a folder have in common."""
    pairs = zip(PurePosixPath(path).parent.parts, PurePosixPath(folder).parts, strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
