"""The errors for a state that cannot be used: a damaged one, which can be repaired, and a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..errors import Fault


class DamagedStateError(StateError):
    """What is in the place of the state is not one.

    Args:
        what: what is wrong with it.
        file: where.
        line: line number in that file, from 1.
        faults: everything that is wrong, where several things were checked at once.
    """

    def __init__(
        self, what: str, *, file: Path | str, line: int | None = None, faults: Iterable[Fault] = ()
    ) -> None:
        super().__init__(
            f"the state is damaged: {what}",
            hint="packer-hybrid state repair keeps what is there and restores the last good copy",
            file=file,
            line=line,
            faults=faults,
        )


class NewerStateError(StateError):
    """The state was written by a newer release: nothing is wrong with it, and nothing of it is touched.

    Args:
        message: by what that is known.
        file: where it is.
    """

    def __init__(self, message: str, *, file: Path | str) -> None:
        super().__init__(
            message,
            hint="a newer release of hybridcore.packer wrote it; use that one here too",
            file=file,
        )
