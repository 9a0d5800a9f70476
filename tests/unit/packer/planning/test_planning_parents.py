"""Which version of an image another one starts from, and how it counts."""

from __future__ import annotations

from collections.abc import Callable

from hybridcore import state, templates
from hybridcore.image_settings import ParentSetting
from hybridcore.images.known import Known
from hybridcore.images.lookup import Found
from hybridcore.images.names import Image
from hybridcore.packer.planning.parents import as_recorded, digest, no_parent, parent_of, recorded
from tests.support.images import BASE, Shelf
from tests.support.workspaces import WorkspaceFolder

FOUND = Found(
    Image("dev", "linux/qemu/base"), 7, path="/x/base.qcow2", checksum=f"sha256:{'d' * 64}", id="VM"
)


def test_version_and_content_count_and_not_the_path() -> None:
    assert digest(FOUND) == f"7 sha256:{'d' * 64}"
    assert digest(Found(FOUND.image, 7, id="9000")) == "7 9000"
    assert digest(Found(FOUND.image, 7)) == "7"


def test_the_parent_of_an_image_is_one_of_its_inputs() -> None:
    entry = {"target": "linux/qemu/web", "environment": "dev"}
    inputs = {"packer": "1.9.4", "parent linux/qemu/base": "7 sha256:00"}
    assert recorded({**entry, "inputs": inputs}) == {"target": "linux/qemu/base", "version": 7}
    assert recorded({**entry, "inputs": {"parent linux/qemu/base": "none"}}) == {
        "target": "linux/qemu/base",
        "version": None,
    }
    assert recorded({**entry, "inputs": {"packer": "1.9.4"}}) is None
    assert recorded(entry) is None


def test_a_record_names_the_version_and_the_channel() -> None:
    recorded_as = {"environment": "dev", "target": "linux/qemu/base", "version": 7}
    assert as_recorded(FOUND, ParentSetting("linux/qemu/base")) == {**recorded_as, "channel": None}
    assert as_recorded(FOUND, ParentSetting("linux/qemu/base", "stable")) == {
        **recorded_as,
        "channel": "stable",
    }


def test_the_newest_good_version_is_taken_or_there_is_a_reason(
    make_workspace: Callable[..., WorkspaceFolder],
) -> None:
    space = make_workspace()
    space.null("linux/null/web")
    space.settings('[images."linux/null/web"]\nparent = "linux/qemu/base"\n')
    where = space.open()
    template = templates.load("linux/null/web", where)

    def found() -> tuple[Found | None, str]:
        return parent_of(template, "dev", Known(where, state.read(workspace=where)))

    nothing, why = found()
    assert nothing is None
    assert no_parent("linux/qemu/base", why) == "its parent linux/qemu/base was never built"
    shelf = Shelf(where)
    shelf.build(BASE)
    shelf.build(BASE)
    newest, why = found()
    assert newest is not None
    assert (newest.version, why) == (2, "")
    with state.transaction(workspace=where, command="a test") as data:
        data["images"][BASE.key]["revoked"] = {
            number: {"recorded_at": state.timestamp(), "reason": "a hole"} for number in ("1", "2")
        }
    nothing, why = found()
    assert nothing is None
    said = "its parent linux/qemu/base: dev:linux/qemu/base@2 is revoked at "
    assert no_parent("linux/qemu/base", why).startswith(said)
