"""The tables ``[retention]`` and ``[channels]``: which versions stay, and what a channel demands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import Fault
from .image_settings import AGE, age_s
from .setting_tables import SWITCH, must_be, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEP = 2
"""Good versions of an image that stay where nothing else is said."""

_TABLES = ("environments", "targets")
_KEEP = {"keep": must_be("a whole number, not negative", lambda number: number >= 0, int), "max_age": AGE}
_CHANNEL = {"checks": SWITCH, "attestation": SWITCH, "min_age": AGE}


@dataclass(frozen=True)
class KeepSetting:
    """What one table of ``[retention]`` says.

    Attributes:
        keep: ``keep``, good versions that stay; 0 is no limit, None where the table does not say.
        max_age: ``max_age``, an age after which a version goes; None where the table does not say.
    """

    keep: int | None = None
    max_age: str | None = None


@dataclass(frozen=True)
class RetentionSetting:
    """``[retention]``: for all images, and what environments and targets have of their own.

    Attributes:
        all: the table itself.
        environments: ``[retention.environments.NAME]``, by name.
        targets: ``[retention.targets."<os>/<platform>/<name>"]``, by target.
    """

    all: KeepSetting = KeepSetting()
    environments: Mapping[str, KeepSetting] = field(default_factory=dict)
    targets: Mapping[str, KeepSetting] = field(default_factory=dict)

    def of(self, env: str, target: str) -> tuple[int, str]:
        """How many versions of an image stay, and how old they get.

        What is said of its target counts before what is said of its environment, and that before what is said
        of all; each key by itself.
        """
        tables = [
            one for one in (self.targets.get(target), self.environments.get(env), self.all) if one is not None
        ]
        keep = next((one.keep for one in tables if one.keep is not None), KEEP)
        return keep, next((one.max_age for one in tables if one.max_age is not None), "")


@dataclass(frozen=True)
class ChannelSetting:
    """``[channels.NAME]``: what a version must have for the channel to name it.

    Attributes:
        checks: its checks ran, and passed.
        attestation: there is an attestation of it.
        min_age: an age that it must have reached; empty is none.
    """

    checks: bool = False
    attestation: bool = False
    min_age: str = ""

    @property
    def min_age_s(self) -> int:
        """``min_age`` in seconds; 0 where there is none."""
        return age_s(self.min_age) if self.min_age else 0


def parse_retention(table: Mapping[str, object], file: str, faults: list[Fault]) -> RetentionSetting:
    """Read ``[retention]``.

    Args:
        table: what stands there.
        file: that holds it, as shown to people.
        faults: where to add what is wrong.
    """
    own = {key: value for key, value in table.items() if key not in _TABLES}
    found: dict[str, dict[str, KeepSetting]] = {name: {} for name in _TABLES}
    for name in _TABLES:
        entries = table.get(name, {})
        if not isinstance(entries, dict):
            faults.append(Fault(f"[retention.{name}] must be a table", file=file))
            continue
        for key, entry in entries.items():
            where = f'[retention.{name}."{key}"]'
            if isinstance(entry, dict):
                found[name][key] = _keep(entry, where, file, faults)
            else:
                faults.append(Fault(f"{where} must be a table", file=file))
    return RetentionSetting(_keep(own, "[retention]", file, faults), **found)


def parse_channels(table: Mapping[str, object], file: str, faults: list[Fault]) -> dict[str, ChannelSetting]:
    """Read the tables ``[channels.NAME]``; the arguments are those of ``parse_retention``."""
    found = {}
    for name, entry in table.items():
        where = f"[channels.{name}]"
        if not isinstance(entry, dict):
            faults.append(Fault(f"{where} must be a table", file=file))
            continue
        if name == "latest" or name.isdigit() or ":" in name:
            hint = "a name with a letter, and not latest, which is managed"
            faults.append(Fault(f"{where} is no channel that is assigned", file=file, hint=hint))
            continue
        found[name] = ChannelSetting(**read_table(entry, _CHANNEL, where, faults, file=file))
    return found


def _keep(entry: Mapping[str, object], where: str, file: str, faults: list[Fault]) -> KeepSetting:
    return KeepSetting(**read_table(entry, _KEEP, where, faults, file=file))
