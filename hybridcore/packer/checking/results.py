"""What the checks of templates give back: frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True)
class FmtResult:
    """What ``fmt`` found, or did.

    Attributes:
        changed_files: files that were, or with ``check`` would be, rewritten; sorted.
        diff: unified diff of all of them; empty when nothing changes.
        faults: files that Packer cannot parse.
    """

    changed_files: tuple[str, ...] = ()
    diff: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether any file was not in canonical form."""
        return bool(self.changed_files)

    def to_dict(self) -> dict[str, Any]:
        """The result as data."""
        return {
            "changed": self.changed,
            "changed_files": list(self.changed_files),
            "diff": self.diff,
            "faults": [fault.to_dict() for fault in self.faults],
        }


@dataclass(frozen=True)
class TargetFaults:
    """What ``validate`` found in one target.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        faults: what Packer refuses; empty when the target is valid.
        warnings: what Packer, or our own checks, find odd.
        not_checked: why it could not be checked, which is no fault; empty when it was.
    """

    target: str
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    not_checked: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the target, as far as it was checked."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """The findings as data."""
        return {
            "target": self.target,
            "ok": self.ok,
            "not_checked": self.not_checked,
            "faults": [fault.to_dict() for fault in self.faults],
            "warnings": [fault.to_dict() for fault in self.warnings],
        }


@dataclass(frozen=True)
class ValidateResult:
    """What ``validate`` found: one entry a target, in the order of the targets."""

    results: tuple[TargetFaults, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every target is valid."""
        return all(result.ok for result in self.results)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault of every target."""
        return tuple(fault for result in self.results for fault in result.faults)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Every warning of every target."""
        return tuple(fault for result in self.results for fault in result.warnings)

    def to_dict(self) -> dict[str, Any]:
        """The result as data."""
        return {"ok": self.ok, "results": [result.to_dict() for result in self.results]}


@dataclass(frozen=True)
class InitResult:
    """What ``init`` did.

    Attributes:
        installed: a line for each plugin that was installed, as Packer says it; empty when all were there.
    """

    installed: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether any plugin was installed."""
        return bool(self.installed)

    def to_dict(self) -> dict[str, Any]:
        """The result as data."""
        return {"changed": self.changed, "installed": list(self.installed)}


@dataclass(frozen=True)
class InspectResult:
    """The parts of one target, as Packer lists them.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        variables: the input variables with their values as Packer prints them, by name; ``***`` where
            sensitive.
        sources: ``<type>.<name>`` of each source that is built.
        provisioners: types, in order.
        post_processors: types, in order.
    """

    target: str
    variables: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    provisioners: tuple[str, ...] = ()
    post_processors: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The parts as data."""
        return {
            "target": self.target,
            "variables": dict(self.variables),
            "sources": list(self.sources),
            "provisioners": list(self.provisioners),
            "post_processors": list(self.post_processors),
        }
