"""Errors as long as a result may hold them: Ansible keeps, sends and shows each result as a whole."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 10
# An error shorter than this says too little: what is left of the limit is not used for it.
_LEAST = 200


def brief(errors: Sequence[str], *, each: int, together: int) -> list[str]:
    """Cut the errors of one target; the log of its build has all of them.

    Args:
        errors: Packer's messages in order, each with its step and its last lines.
        each: characters of one of them. A longer one loses its middle, since it begins with Packer's own
            message, and its last lines are nearest to the fault.
        together: characters of all of them.

    Returns:
        At most ten errors, and a line where some are missing.
    """
    kept: list[str] = []
    for error in errors:
        room = min(each, together)
        if len(kept) == _MOST or room < min(len(error), _LEAST):
            kept.append(f"and {len(errors) - len(kept)} more, see the log")
            break
        kept.append(_cut(error, room))
        together -= len(kept[-1])
    return kept


def _cut(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    half = size // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters, see the log ...]\n{text[-half:]}"
