"""The error for a state that cannot be trusted, which ``state repair`` can mend."""

from __future__ import annotations

from ..errors import StateError

TYPE_CHECKING = False
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
