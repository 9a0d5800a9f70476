"""A time that people name: at a moment, or after an age."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from .. import state
from ..errors import ImagesError
from ..image_settings import age_s


def moment(*, at: str = "", within: str = "", now: float | None = None) -> str:
    """The time that is meant, as the state writes it.

    Args:
        at: RFC 3339; without a zone it is UTC.
        within: an age, as in ``7d``, from now on.
        now: seconds since the epoch; this moment when not given.

    Returns:
        The time; empty where neither is given.

    Raises:
        ImagesError: it is none.
    """
    if within:
        if not (seconds := age_s(within)):
            raise ImagesError(f"{within!r} is no time span", hint="as in 30m, 12h, 7d or 2w")
        return state.timestamp((time.time() if now is None else now) + seconds)
    if not at:
        return ""
    try:
        found = datetime.fromisoformat(at)
    except ValueError as error:
        raise ImagesError(f"{at!r} is no time", hint="as in 2026-11-22T05:25:08Z") from error
    return state.timestamp((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
