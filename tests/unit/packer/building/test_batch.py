"""What is checked before a batch starts."""

from __future__ import annotations

import math

import pytest

from hybridcore.errors import ConfigError
from hybridcore.packer.building.batch import check_options
from hybridcore.packer.options import BuildOptions


def test_ordinary_options_pass():
    check_options(BuildOptions())
    check_options(BuildOptions(parallel_builds=4, timeout=7200, retries=2, retry_delay=0, lock_timeout=1.5))


@pytest.mark.parametrize("name", ["parallel_builds", "timeout", "retries", "retry_delay", "lock_timeout"])
def test_a_negative_number_is_refused(name):
    with pytest.raises(ConfigError) as caught:
        check_options(BuildOptions(**{name: -1}))
    (fault,) = caught.value.faults
    assert name in fault.message


def test_what_is_no_number_is_refused_and_all_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        check_options(BuildOptions(timeout=math.nan, lock_timeout=math.inf))
    assert len(caught.value.faults) == 2
