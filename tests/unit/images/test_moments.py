"""A time that people name."""

from __future__ import annotations

import pytest

from hybridcore.errors import ImagesError
from hybridcore.images.moments import moment


@pytest.mark.parametrize(
    ("at", "meant"),
    [
        ("2026-11-22T05:25:08Z", "2026-11-22T05:25:08.000Z"),
        ("2026-11-22T05:25:08+01:00", "2026-11-22T04:25:08.000Z"),
        ("2026-11-22T05:25", "2026-11-22T05:25:00.000Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("", ""),
    ],
)
def test_a_moment_is_written_in_utc(at: str, meant: str) -> None:
    assert moment(at=at) == meant


def test_an_age_counts_from_now_on() -> None:
    assert moment(within="2d", now=86400.0) == "1970-01-04T00:00:00.000Z"


@pytest.mark.parametrize("wrong", [{"at": "tomorrow"}, {"within": "soon"}, {"within": "0d"}])
def test_what_is_no_time_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ImagesError, match="is no time"):
        moment(**wrong)
