"""Changes of what is known of versions: channels, revocations, labels, holds. Each is one transaction."""

from __future__ import annotations

import contextlib
import copy
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from .. import state
from ..errors import Fault, ImagesError
from . import channels, events
from .known import Known
from .names import Image, Reference, check_channel, image_of
from .retiring import let_latest_follow
from .versions import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..state.types import AssignmentEntry, HoldEntry, RevokedEntry, State
    from ..workspace import Workspace


@dataclass(frozen=True)
class Moved:
    """A channel that names another version than before.

    Attributes:
        image: the image.
        channel: the channel.
        before: what it named; None where it named none.
        after: what it names now.
        reason: why.
    """

    image: Image
    channel: str
    before: int | None
    after: int | None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "channel": self.channel,
            "before": self.before,
            "after": self.after,
            "reason": self.reason or None,
        }

    def __str__(self) -> str:
        shown = [str(number) if number else "no version" for number in (self.before, self.after)]
        return f"{self.image}: the channel {self.channel} named {shown[0]}, it names {shown[1]} now"


@dataclass(frozen=True)
class Change:
    """What was changed of a version.

    Attributes:
        image: the image.
        version: the version; None where it is about none.
        changed: whether anything was.
        said: what was done, in a sentence.
        moved: the channels that name another version now.
        before: what was changed, as it was.
        after: the same as it is now.
    """

    image: Image
    version: int | None
    changed: bool
    said: str
    moved: tuple[Moved, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "version": self.version,
            "changed": self.changed,
            "msg": self.said,
            "moved": [one.to_dict() for one in self.moved],
            "before": dict(self.before),
            "after": dict(self.after),
        }


@contextmanager
def changing(workspace: Workspace, command: str, images: Iterable[Image], *, check: bool) -> Iterator[State]:
    """The state, to be changed; what dead writers left of the images is brought in order first.

    Args:
        workspace: whose.
        command: what is being done, for those who wait.
        images: those that are changed.
        check: give a copy, of which nothing is written.
    """
    if check:
        yield copy.deepcopy(state.read(workspace=workspace))
        return
    with state.transaction(workspace=workspace, command=command) as data:
        for image in images:
            settle(data, workspace, image)
        yield data


def demands(known: Known, image: Image, number: int, channel: str) -> list[Fault]:
    """What a version lacks for a channel to name it.

    Args:
        known: what there is.
        image: the image.
        number: the version.
        channel: the name of the channel; ``latest`` demands no more than being good.
    """
    name = f"{image}@{number}"
    record = known.record(image, number)
    faults = []
    if not known.is_there(image, number):
        faults.append(Fault(f"{name} was retired: its files are gone"))
    if revoked := known.revoked(image, number):
        faults.append(
            Fault(f"{name} is {revoked}", hint="packer-hybrid images restore, if it can be used again")
        )
    if not record["complete"]:
        faults.append(Fault(f"{name} is incomplete: its checks did not pass"))
    setting = known.workspace.settings.channels.get(channel)
    if setting is None:
        return faults
    if setting.checks and not record["checks"]:
        faults.append(Fault(f"the channel {channel} demands checks, and {name} was not checked"))
    if setting.attestation and not record["attestation"]:
        faults.append(Fault(f"the channel {channel} demands an attestation, and {name} has none"))
    built = record["built_at"]
    age = time.time() - datetime.fromisoformat(built).timestamp() if built else 0.0
    if setting.min_age_s and age < setting.min_age_s:
        faults.append(
            Fault(f"the channel {channel} demands an age of {setting.min_age}, and {name} is younger")
        )
    return faults


def check_demands(known: Known, image: Image, number: int, channel: str) -> None:
    """Refuse a version that a channel must not name.

    Raises:
        ImagesError: it lacks something; has faults, all of them.
    """
    if faults := demands(known, image, number, channel):
        where = f"the channel {channel}" if channel else "another environment"
        raise ImagesError(f"{image}@{number} cannot be promoted to {where}", faults=faults)


def assign(
    reference: Reference, channel: str, *, workspace: Workspace, reason: str = "", check: bool = False
) -> Change:
    """Have a channel name a version; see ``images.promote``."""
    check_channel(channel)
    image = reference.image
    with changing(workspace, f"promote {reference} to {channel}", [image], check=check) as data:
        known = Known(workspace, data)
        number = known.resolve(reference)
        check_demands(known, image, number, channel)
        before = (
            known.channel(image, channel) if channel in (known.entry(image).get("channels") or {}) else None
        )
        if before == number:
            return Change(image, number, False, f"{image}: the channel {channel} names {number} already")
        _assign(data, image, channel, number, how=channels.PROMOTED, reason=reason)
    return _moved(workspace, Moved(image, channel, before, number, reason), channels.PROMOTED, check=check)


def rollback(
    image: Image, channel: str, *, workspace: Workspace, reason: str = "", check: bool = False
) -> Change:
    """Have a channel name the good version again that it named before the present one.

    Args:
        image: the image.
        channel: the channel.
        workspace: where it lies.
        reason: why, for the history.
        check: only say what would be changed.

    Raises:
        ImagesError: there is no such channel, or its history has no other good version.
    """
    check_channel(channel)
    with changing(workspace, f"roll back {image}@{channel}", [image], check=check) as data:
        known = Known(workspace, data)
        history = known.history(image, channel)
        before = known.channel(image, channel)
        number = channels.before(history, lambda one: known.is_good(image, one))
        if number is None:
            raise ImagesError(
                f"the channel {channel} of {image} cannot go back: it named no other version that is good",
                hint=f"packer-hybrid images list {image} has its history",
            )
        _assign(data, image, channel, number, how=channels.ROLLED_BACK, reason=reason)
    return _moved(workspace, Moved(image, channel, before, number, reason), channels.ROLLED_BACK, check=check)


def _moved(workspace: Workspace, moved: Moved, how: str, *, check: bool) -> Change:
    """Tell that a channel was moved by hand; the kind of the event is how it was."""
    image, channel, number = moved.image, moved.channel, moved.after
    if not check:
        by, reason = events.who(), moved.reason or None
        events.tell(workspace, [events.event(how, image, number, channel=channel, by=by, reason=reason)])
    return Change(image, number, True, str(moved), (moved,), {channel: moved.before}, {channel: number})


def _assign(data: State, image: Image, channel: str, version: int | None, *, how: str, reason: str) -> None:
    assignment: AssignmentEntry = {"how": how, "at": state.timestamp(), "by": events.who()}
    if version is not None:
        assignment["version"] = version
    if reason:
        assignment["reason"] = reason
    entry = data["images"][image.key]
    known = entry.get("channels") or {}
    entry["channels"] = {**known, channel: channels.assigned(known.get(channel) or [], assignment)}


def revoke(
    reference: Reference,
    *,
    workspace: Workspace,
    reason: str,
    at: str = "",
    only_this: bool = False,
    check: bool = False,
) -> Change:
    """Say that a version is not to be used; what descends from it neither, unless only this one is meant.

    A channel that names one of them goes back within its own history.

    Args:
        reference: the version.
        workspace: where it lies.
        reason: why.
        at: from when on, RFC 3339 in UTC; at once when empty.
        only_this: what descends from it can be used.
        check: only say what would be changed.

    Raises:
        ImagesError: there is no such version.
    """
    image = reference.image
    with changing(workspace, f"revoke {reference}", [image], check=check) as data:
        known = Known(workspace, data)
        number = _one_version(known, reference)
        entry = data["images"][image.key]
        words = entry.get("revoked") or {}
        old = words.get(str(number))
        word: RevokedEntry = {"recorded_at": known.now, "reason": reason, "by": events.who()}
        if at and at > known.now:
            word["at"] = at
        if only_this:
            word["only_this"] = True
        if old and _same(old, word, known.now):
            return Change(image, number, False, f"{image}@{number} is revoked already: {old['reason']}")
        before = _named(data, workspace)
        entry["revoked"] = {**words, str(number): word}
        moved = _follow(data, workspace, before)
        now = Known(workspace, data)
        below = [] if only_this or "at" in word else now.descendants(image, number)
    when = f"from {word['at']} on" if "at" in word else "now"
    said = f"{image}@{number} is revoked {when}: {reason}"
    if below:
        said += f"; with it {', '.join(f'{other}@{version}' for other, version in below)}"
    told = [events.event("revoked", image, number, by=word.get("by"), reason=reason, since=word.get("at"))]
    if not check:
        _tell_and_link(workspace, told, moved)
    shown: dict[str, Any] = {"revoked": dict(word)}
    return Change(image, number, True, said, tuple(moved), {"revoked": dict(old) if old else None}, shown)


def _same(old: RevokedEntry, new: RevokedEntry, now: str) -> bool:
    """Whether a version is revoked already as it is to be: at least as soon, with the same reach."""
    if bool(old.get("only_this")) != bool(new.get("only_this")):
        return False
    old_at, new_at = old.get("at") or now, new.get("at") or now
    return old_at == new_at or (old_at <= now and new_at <= now)


def restore(reference: Reference, *, workspace: Workspace, reason: str = "", check: bool = False) -> Change:
    """Take back that a version is not to be used. No channel moves: what was rolled back stays so.

    Args:
        reference: the version.
        workspace: where it lies.
        reason: why, for the events.
        check: only say what would be changed.

    Raises:
        ImagesError: there is no such version, or it is revoked with another one, which must be restored.
    """
    image = reference.image
    with changing(workspace, f"restore {reference}", [image], check=check) as data:
        known = Known(workspace, data)
        number = _one_version(known, reference)
        entry = data["images"][image.key]
        words = dict(entry.get("revoked") or {})
        old = words.pop(str(number), None)
        found = known.revocation(image, number)
        if old is None and found and found.inherited_from:
            raise ImagesError(
                f"{image}@{number} is revoked with {found.inherited_from}, which it stands on",
                hint=f"packer-hybrid images restore {found.inherited_from}",
            )
        if old is None:
            return Change(image, number, False, f"{image}@{number} is not revoked")
        # What was due and nobody has written down yet comes first, or the channels would move back.
        moved = _follow(data, workspace, {})
        entry["revoked"] = words
        still = Known(workspace, data).revoked(image, number)
    said = f"{image}@{number} can be used again; no channel was moved"
    if still:
        said = f"{image}@{number} has no revocation of its own any more, and is {still}"
    if not check:
        told = [events.event("restored", image, number, by=events.who(), reason=reason or None)]
        _tell_and_link(workspace, told, moved)
    return Change(image, number, True, said, tuple(moved), {"revoked": dict(old)}, {"revoked": None})


def _one_version(known: Known, reference: Reference) -> int:
    if not reference.version and not reference.channel:
        raise ImagesError(
            f"{reference} names no version",
            hint=f"say which one, as in {reference}@{known.newest(reference.image)}",
        )
    return known.resolve(reference)


def _named(data: State, workspace: Workspace) -> dict[tuple[Image, str], int | None]:
    """What each channel of the workspace names."""
    known = Known(workspace, data)
    named = {}
    for key, entry in data["images"].items():
        for name in entry.get("channels") or {}:
            # Whoever asks for a channel whose version has no readable record is told so; it moves nowhere
            # here.
            with contextlib.suppress(ImagesError):
                named[image_of(key), name] = known.channel(image_of(key), name)
    return named


def _follow(data: State, workspace: Workspace, before: Mapping[tuple[Image, str], int | None]) -> list[Moved]:
    """Write down where channels went back to, since what they named is revoked.

    Args:
        data: the state.
        workspace: whose.
        before: what they named; where it is not said, what was last written down.

    Returns:
        Those that moved.
    """
    known = Known(workspace, data)
    moved = []
    for (image, name), number in _named(data, workspace).items():
        history = known.history(image, name)
        written = history[-1].get("version")
        if written == number:
            continue
        word = known.revoked(image, written) if written else None
        reason = f"{image}@{written} is {word}" if word else f"{image}@{written} cannot be used"
        _assign(data, image, name, number, how=channels.REVOKED, reason=reason)
        moved.append(Moved(image, name, before.get((image, name), written), number, reason))
    return moved


def _tell_and_link(workspace: Workspace, told: list[dict[str, Any]], moved: Sequence[Moved]) -> None:
    by = events.who()
    for one in moved:
        told.append(
            events.event("rolled_back", one.image, one.after, channel=one.channel, by=by, reason=one.reason)
        )
    events.tell(workspace, told)
    known = Known.read(workspace)
    for image in known.images():
        with contextlib.suppress(ImagesError):  # the same for `latest`
            let_latest_follow(known, image)


def label(
    reference: Reference,
    *,
    workspace: Workspace,
    labels: Mapping[str, str],
    removed: Sequence[str] = (),
    check: bool = False,
) -> Change:
    """Set and remove labels of a version.

    Args:
        reference: the version.
        workspace: where it lies.
        labels: those to set, by name.
        removed: names of those to remove.
        check: only say what would be changed.

    Raises:
        ImagesError: there is no such version.
    """
    image = reference.image
    with changing(workspace, f"label {reference}", [image], check=check) as data:
        known = Known(workspace, data)
        number = _one_version(known, reference)
        before = known.labels(image, number)
        after = {name: value for name, value in {**before, **labels}.items() if name not in removed}
        if after == before:
            return Change(
                image, number, False, f"{image}@{number} has these labels already", (), before, before
            )
        entry = data["images"][image.key]
        entry["labels"] = {**(entry.get("labels") or {}), str(number): after}
    shown = ", ".join(f"{name}={value}" for name, value in sorted(after.items())) or "none"
    return Change(image, number, True, f"{image}@{number}: its labels are {shown}", (), before, after)


def hold(
    reference: Reference,
    *,
    workspace: Workspace,
    reason: str = "",
    release: bool = False,
    check: bool = False,
) -> Change:
    """Have a version never be retired, or let that go.

    Args:
        reference: the version.
        workspace: where it lies.
        reason: why it is held.
        release: do not hold it any more.
        check: only say what would be changed.

    Raises:
        ImagesError: there is no such version, or it was retired.
    """
    image = reference.image
    with changing(workspace, f"hold {reference}", [image], check=check) as data:
        known = Known(workspace, data)
        number = _one_version(known, reference)
        entry = data["images"][image.key]
        holds = dict(entry.get("holds") or {})
        old = holds.pop(str(number), None)
        if release:
            if old is None:
                return Change(image, number, False, f"{image}@{number} is not held")
            entry["holds"] = holds
            said = f"{image}@{number} is not held any more"
            return Change(image, number, True, said, (), {"held": old["reason"]}, {"held": None})
        if not known.is_there(image, number):
            raise ImagesError(f"{image}@{number} was retired: its files are gone")
        if old and old["reason"] == (reason or old["reason"]):
            return Change(image, number, False, f"{image}@{number} is held already: {old['reason']}")
        word: HoldEntry = {"at": known.now, "reason": reason or "no reason given", "by": events.who()}
        entry["holds"] = {**holds, str(number): word}
    said = f"{image}@{number} is held: {word['reason']}"
    return Change(
        image, number, True, said, (), {"held": old["reason"] if old else None}, {"held": word["reason"]}
    )
