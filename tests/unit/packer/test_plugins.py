"""What plugins say of themselves."""

from __future__ import annotations

import pytest

from hybridcore.packer.plugins import builder_names

SOURCE = "github.com/hashicorp/proxmox"


def test_builders_have_the_name_of_their_plugin_in_front() -> None:
    told = (
        '{"version":"1.1.3","builders":["clone","iso","-packer-default-plugin-name-"],"provisioners":["x"]}'
    )
    assert builder_names(SOURCE, told) == ["proxmox-clone", "proxmox-iso", "proxmox"]


@pytest.mark.parametrize(
    "told", ["", "no JSON", "[]", "null", "{}", '{"builders": null}', '{"builders": [1]}']
)
def test_what_is_no_description_names_none(told: str) -> None:
    assert builder_names(SOURCE, told) == []
