"""The tables [retention] and [channels], and the old name of keep."""

from __future__ import annotations

import pytest

from hybridcore.errors import WorkspaceError
from hybridcore.settings import parse_settings
from hybridcore.version_settings import ChannelSetting

ALL = """
[retention]
keep = 4
max_age = "90d"
[retention.environments.prod]
keep = 9
[retention.targets."linux/qemu/web"]
max_age = "7d"
[channels.stable]
checks = true
attestation = true
min_age = "3d"
"""


def test_each_key_of_the_nearest_table_counts() -> None:
    settings = parse_settings(ALL)
    assert settings.retention.of("dev", "linux/qemu/base") == (4, "90d")
    assert settings.retention.of("prod", "linux/qemu/base") == (9, "90d")
    assert settings.retention.of("prod", "linux/qemu/web") == (9, "7d")
    assert parse_settings("").retention.of("dev", "linux/qemu/web") == (2, "")


def test_what_a_channel_demands() -> None:
    channels = parse_settings(ALL).channels
    assert channels == {"stable": ChannelSetting(checks=True, attestation=True, min_age="3d")}
    assert channels["stable"].min_age_s == 3 * 86400


@pytest.mark.parametrize(("number", "keep"), [(5, 5), (0, 1)])
def test_the_old_name_of_keep_still_counts(number: int, keep: int) -> None:
    assert parse_settings(f"[build]\nkeep_images = {number}\n").retention.of("dev", "a/b/c") == (keep, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[retention]\nkeep = -1", "[retention] keep must be a whole number, not negative, not -1"),
        ("[retention]\nkeep = true", "[retention] keep must be a whole number"),
        ("[retention]\nmax_age = 'soon'", "[retention] max_age must be an age such as 7d or 12h, not 'soon'"),
        ("[retention]\nages = 1", "unknown setting 'ages' in [retention]"),
        ("[retention.environments]\nprod = 1", '[retention.environments."prod"] must be a table'),
        ("[retention]\ntargets = 1", "[retention.targets] must be a table"),
        ("[channels]\nstable = 1", "[channels.stable] must be a table"),
        ("[channels.stable]\nchecks = 1", "[channels.stable] checks must be true or false, not 1"),
        ("[channels.stable]\nmin_age = '3'", "[channels.stable] min_age must be an age"),
        ("[channels.latest]\nchecks = true", "[channels.latest] is no channel that is assigned"),
        ("[channels.7]\nchecks = true", "[channels.7] is no channel that is assigned"),
        ("[build]\nkeep_images = 2\n[retention]\nkeep = 2", "keep_images and [retention] keep both say"),
    ],
)
def test_what_is_not_right_is_told(text: str, said: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        parse_settings(text)
    assert said in str(caught.value)
