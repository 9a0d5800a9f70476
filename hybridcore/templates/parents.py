"""Images that start from images: which targets join a batch, in which order, and loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Fault, TemplatesError
from .catalogue import holds_template
from .declared import expand

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ..image_settings import ParentSetting
    from ..workspace import Workspace
    from .declared import Declared


def parents_first(parents: Mapping[str, str]) -> list[str]:
    """Bring targets into an order in which each comes after the one that it starts from.

    Args:
        parents: by target its parent, empty where it has none; a parent that is no key here does not count.

    Returns:
        The targets, otherwise in the order given. Those of a loop are there too, in some order.
    """
    found: dict[str, None] = {}
    for target in parents:
        way: dict[str, None] = {}
        while target in parents and target not in found and target not in way:
            way[target] = None
            target = parents[target]
        found.update(dict.fromkeys(reversed(way)))
    return list(found)


def loops(parents: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Find the targets that start from themselves, by way of others or not.

    Args:
        parents: as for ``parents_first``.

    Returns:
        Each loop once: a target, its parent, and so on; the first is the least by name.
    """
    found = []
    seen: set[str] = set()
    for target in parents:
        way: list[str] = []
        while target in parents and target not in seen:
            seen.add(target)
            way.append(target)
            target = parents[target]
        if target in way:
            loop = way[way.index(target) :]
            first = loop.index(min(loop))
            found.append((*loop[first:], *loop[:first]))
    return sorted(found)


def edges(targets: Collection[str], workspace: Workspace) -> dict[str, ParentSetting | None]:
    """What targets start from, and what that starts from.

    Args:
        targets: of the workspace.
        workspace: whose settings say the parents.

    Returns:
        Every target of this, sorted, with its parent, or None where it has none.

    Raises:
        TemplatesError: a parent does not exist, or targets start from each other in a loop; has faults.
    """
    declared = expand(workspace)
    found: dict[str, ParentSetting | None] = {}
    for target in targets:
        while target not in found:
            found[target] = parent = declared[target].setting.parent if target in declared else None
            if parent is None:
                break
            target = parent.target
    faults = list(_faults(found, declared, workspace))
    if faults:
        raise TemplatesError("the parents of targets are not right", faults=faults)
    return dict(sorted(found.items()))


def joining(asked: Collection[str], workspace: Workspace) -> list[str]:
    """The targets that are built with others, since these start from them; with a ``channel`` none is.

    Args:
        asked: the targets that are asked for.
        workspace: whose settings say the parents.

    Returns:
        Those that were not asked for, sorted.

    Raises:
        TemplatesError: a parent does not exist, or targets start from each other in a loop; has faults.
    """
    reached = edges(asked, workspace)
    found: set[str] = set()
    for target in asked:
        while (parent := reached[target]) and not parent.channel and parent.target not in found:
            target = parent.target
            found.add(target)
    return sorted(found.difference(asked))


def _faults(
    reached: Mapping[str, ParentSetting | None], declared: Mapping[str, Declared], workspace: Workspace
) -> Iterator[Fault]:
    """What is wrong with parents: those that do not exist, and loops."""
    parents = {target: parent.target for target, parent in reached.items() if parent}
    for target, parent in parents.items():
        if parent not in declared and not holds_template(f"{workspace.templates}/{parent}"):
            message = f"{target}: its parent {parent} does not exist"
            yield _fault(target, declared, message, "packer-hybrid graph lists the targets that do")
    for loop in loops(parents):
        others = ", ".join(_place(target, declared) for target in loop[1:])
        message = f"targets start from each other in a loop: {' -> '.join((*loop, loop[0]))}"
        hint = (
            f"take one of the parents out; the others stand in {others}" if others else "name another parent"
        )
        yield _fault(loop[0], declared, message, hint)


def _fault(target: str, declared: Mapping[str, Declared], message: str, hint: str) -> Fault:
    setting = declared[target].setting
    return Fault(message, file=setting.file, line=setting.line, hint=hint)


def _place(target: str, declared: Mapping[str, Declared]) -> str:
    setting = declared[target].setting
    return f"{setting.file}:{setting.line}" if setting.line else setting.file
