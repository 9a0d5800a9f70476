"""What the events of a run say together: which builds ended how, and what they left.

Packer's exit code alone does not tell: 0 may mean that nothing was selected, and failure and
cancel are both 1.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...process.lines import shorten, strip_ansi_text
from .output import (
    ArtifactCount,
    ArtifactField,
    BuildError,
    ErrorCount,
    Event,
    Text,
    Ui,
    human,
    parse_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LAST_LINES = 20
# Characters of each line that is kept for an error; the log has all of it.
_LINE_LIMIT = 2000
_ENDED = re.compile(r"Build '(?P<name>[^']+)' (?P<how>finished|errored)(?: after [^:]*)?(?:[.:]|$)")
_STEP = re.compile(r"==> (?P<name>[^\s:]+): (?P<step>.*)", re.DOTALL)
_CRASH = re.compile(r"panic: |fatal error: |!+ PACKER CRASH !+")
_CLEANUP = re.compile(r"Provisioning step had errors|Terminating|Deleting|Destroying|Cleaning up|Cancelling")
# Packer asks at the end whether its own `packer init` was run, which knows nothing of the workspace.
_NO_PLUGINS = "Error: Missing plugins"
_INSTALL = "Install them with packer-hybrid init, or put them into a folder that PACKER_PLUGIN_PATH names."


class SeenArtifact(NamedTuple):
    """An artifact as the stream told it."""

    build: str
    builder_id: str
    id: str
    files: tuple[str, ...]


class Failure(NamedTuple):
    """Why a build failed: Packer's message, the step it was in, and the last lines before it; not masked."""

    build: str
    message: str
    step: str = ""
    last_lines: tuple[str, ...] = ()

    def text(self, mask: Callable[[str], str]) -> str:
        """All of it, one below the other.

        Args:
            mask: hides the secrets in a text.
        """
        text = mask(f"{self.build}: {self.message}" if self.build else self.message)
        if self.step:
            text += f"\n  step: {mask(self.step)}"
        if self.last_lines:
            # Masked together: a secret may have several lines.
            lines = mask("\n".join(self.last_lines)).split("\n")
            text += "\n  last lines:\n" + "\n".join(f"    {line}" for line in lines)
        return text


@dataclass
class _Artifact:
    """What was told of an artifact so far: of ``files_count`` files, and ``complete`` when its end came."""

    builder_id: str = ""
    id: str = ""
    files: dict[int, str] = field(default_factory=dict)
    files_count: int = 0
    complete: bool = False


class Outcome:
    """Gathers the events of one run of Packer, not masked; memory does not grow with the output.

    Attributes:
        finished: names of the builds that finished.
        errored: names of the builds that failed.
        error_count: how many builds failed, as Packer counts; None when it did not say.
        crashed: Packer or a plugin ended in a Go panic.
    """

    def __init__(self) -> None:
        self.finished: set[str] = set()
        self.errored: set[str] = set()
        self.error_count: int | None = None
        self.crashed = False
        self._counts: dict[str, int] = {}
        self._artifacts: dict[tuple[str, int], _Artifact] = {}
        self._messages: dict[str, str] = {}
        self._spoken: list[str] = []
        self._crash: list[str] = []
        self._steps: dict[str, str] = {}
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._last_before: dict[str, tuple[str, ...]] = {}

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Ui():
                self._ui(event)
            case ArtifactField():
                self._artifact(event)
            case ArtifactCount(build, count):
                self._counts[build] = count
            case BuildError(build, message):
                self.errored.add(build)
                self._messages[build] = message
            case ErrorCount(count):
                self.error_count = count
            case Text(text):
                self._text(text)
            case _:
                pass

    def remember(self, lines: bytes) -> None:
        """Keep the last lines for people, to be quoted by an error.

        Args:
            lines: complete lines as Packer printed them. Only their end is looked at.
        """
        found: list[str] = []
        end = len(lines)
        while end > 0 and len(found) < LAST_LINES:
            start = lines.rfind(b"\n", 0, end) + 1
            shown = human(parse_line(lines[start:end]))
            for line in reversed(strip_ansi_text(shown or "").splitlines()):
                if line.strip():
                    found.append(shorten(line.rstrip(), _LINE_LIMIT))
            end = start - 1
        self._last.extend(reversed(found))

    @property
    def artifacts(self) -> tuple[SeenArtifact, ...]:
        """What was left, each artifact once; sorted, since Packer's own order is random."""
        found = {
            SeenArtifact(
                build,
                artifact.builder_id,
                artifact.id,
                tuple(path for __, path in sorted(artifact.files.items())),
            )
            for (build, __), artifact in self._artifacts.items()
        }
        return tuple(sorted(found))

    def missing(self) -> tuple[str, ...]:
        """What the stream announced and did not deliver, as when its end was cut off."""
        faults = []
        for build, count in sorted(self._counts.items()):
            seen = [found for (name, __), found in self._artifacts.items() if name == build]
            if len(seen) != count:
                faults.append(f"{build}: {count} artifacts announced, {len(seen)} described")
            for artifact in seen:
                if not artifact.complete or len(artifact.files) != artifact.files_count:
                    faults.append(
                        f"{build}: an artifact of {artifact.files_count} files was described "
                        f"with {len(artifact.files)} of them"
                    )
        return tuple(faults)

    def failures(self, exit_code: int | None) -> tuple[Failure, ...]:
        """Why the run is not a success.

        Args:
            exit_code: Packer's; None when a signal ended it.

        Returns:
            Nothing when it is one: exit code 0, no error, and at least one artifact, each with a name.
        """
        last = tuple(self._last)
        found = [
            Failure(
                build,
                self._messages.get(build, "the build failed"),
                self._steps.get(build, ""),
                self._last_before.get(build, last),
            )
            for build in sorted(self.errored)
        ]
        if self.crashed:
            found.append(Failure("", "Packer crashed: " + "\n".join(self._crash), "", last))
        if found:
            return tuple(found)
        spoken = tuple(
            Failure("", f"{message}\n{_INSTALL}" if message.startswith(_NO_PLUGINS) else message)
            for message in self._spoken
        )
        if exit_code != 0:
            how = "a signal ended Packer" if exit_code is None else f"Packer ended with exit code {exit_code}"
            return spoken or (Failure("", how, "", last),)
        if self.error_count:
            return spoken or (Failure("", f"Packer counted {self.error_count} errors", "", last),)
        if not self.artifacts:
            why = "exit code 0, but no artifact was made: no build was selected, or none left anything"
            return (*spoken, Failure("", why, "", last))
        # No name: its plugin ended before Packer could ask it, and Packer's exit code is 0 all the same.
        nameless = sorted({one.build for one in self.artifacts if not (one.builder_id or one.id)})
        if nameless:
            why = "Packer does not say what was made: the plugin that knows it has ended"
            return tuple(Failure(name, why, self._steps.get(name, ""), last) for name in nameless)
        unfinished = sorted(set(self._steps) - self.finished - {one.build for one in self.artifacts})
        return tuple(Failure(name, "the build did not finish", self._steps[name]) for name in unfinished)

    def _ui(self, event: Ui) -> None:
        text = event.text.strip()
        ended = _ENDED.match(text)
        if ended:
            name = ended["name"]
            if ended["how"] == "finished":
                self.finished.add(name)
            else:
                self.errored.add(name)
                self._messages.setdefault(name, text[ended.end() :].strip())
                self._last_before[name] = tuple(self._last)
        elif event.kind == "error":
            if text and not text.startswith(("==> Some builds", "-->")):
                self._spoken.append(shorten(text, _LINE_LIMIT))
                del self._spoken[:-LAST_LINES]
        elif event.kind == "say":
            step = _STEP.match(text)
            # What follows the step that failed is not the step.
            if step and not _CLEANUP.match(step["step"]):
                self._steps[step["name"]] = shorten(step["step"], _LINE_LIMIT)

    def _text(self, text: str) -> None:
        if _CRASH.match(text):
            self.crashed = True
        if self.crashed and text.strip() and len(self._crash) < LAST_LINES:
            self._crash.append(shorten(text, _LINE_LIMIT))

    def _artifact(self, event: ArtifactField) -> None:
        artifact = self._artifacts.setdefault((event.build, event.number), _Artifact())
        first = event.values[0] if event.values else ""
        if event.name == "builder-id":
            artifact.builder_id = first
        elif event.name == "id":
            artifact.id = first
        elif event.name == "files-count" and first.isdecimal():
            artifact.files_count = int(first)
        elif event.name == "file" and first.isdecimal() and len(event.values) > 1:
            artifact.files[int(first)] = event.values[1]
        elif event.name == "end":
            artifact.complete = True
