"""What is different between two versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridcore.errors import ImagesError
from hybridcore.images.contents import Contents, Package
from hybridcore.images.differences import Change, SizeChange, compare, of_packages
from tests.support.images import BASE, WEB, Shelf, installed


def test_packages_are_added_removed_upgraded_and_downgraded() -> None:
    before = installed(a="1.9-1", b="1.0", c="1.0", same="1")
    after = installed(a="1.10-1", b="1.0~rc1", d="2", same="1")
    found = of_packages(before, after)
    assert found.upgraded == (Change("a", "1.9-1", "1.10-1"),)
    assert found.downgraded == (Change("b", "1.0", "1.0~rc1"),)
    assert found.added == (Change("d", "", "2"),)
    assert found.removed == (Change("c", "1.0", ""),)
    assert not any(vars(of_packages(after, after)).values())


def test_the_order_is_that_of_the_distribution() -> None:
    before, after = (
        installed(kind, a=version) for kind, version in (("rpm", "1.0-1"), ("rpm", "1.0^git1-1"))
    )
    assert of_packages(before, after).upgraded
    assert of_packages(replace(before, kind="deb"), replace(after, kind="deb")).upgraded
    with pytest.raises(ImagesError, match="cannot be compared"):
        of_packages(before, replace(after, kind="deb"))


def test_what_stands_beside_another_version_is_not_an_upgrade() -> None:
    def kernels(*versions: str) -> Contents:
        return Contents(
            "rpm", tuple(Package("kernel", one, "x86_64", "kernel", one) for one in versions), "a"
        )

    found = of_packages(kernels("5-1", "5-2"), kernels("5-2", "5-3", "5-4"))
    assert found.removed == (Change("kernel", "5-1", ""),)
    assert found.added == (Change("kernel", "", "5-3"), Change("kernel", "", "5-4"))
    assert found.upgraded == ()


def test_architectures_are_told_apart_where_there_are_several() -> None:
    def libraries(*pairs: tuple[str, str]) -> Contents:
        return Contents(
            "deb", tuple(Package("lib", version, arch, "lib", version) for arch, version in pairs), "a"
        )

    found = of_packages(libraries(("amd64", "1"), ("i386", "1")), libraries(("amd64", "2"), ("i386", "1")))
    assert found.upgraded == (Change("lib:amd64", "1", "2"),)
    assert of_packages(libraries(("all", "1")), libraries(("amd64", "2"))).upgraded == (
        Change("lib", "1", "2"),
    )


def test_versions_that_the_distribution_takes_for_the_same_are_no_upgrade() -> None:
    found = of_packages(installed(a="1.0"), installed(a="1.0-0"))
    assert (found.upgraded, found.downgraded) == ((), ())
    assert found.added == (Change("a", "", "1.0-0"),)


def test_inputs_and_sizes_are_compared_too(shelf: Shelf) -> None:
    shelf.build(
        WEB, content="small", contents=installed(a="1"), inputs={"site.yml": "0" * 64, "packer": "1.9.4"}
    )
    shelf.build(
        WEB, content="larger", contents=installed(a="2"), inputs={"new.yml": "1" * 64, "packer": "1.9.4"}
    )
    found = compare(shelf.known(), WEB, 1, WEB, 2)
    assert found.packages
    assert found.packages.upgraded == (Change("a", "1", "2"),)
    assert found.inputs == (Change("new.yml", "", "1" * 64), Change("site.yml", "0" * 64, ""))
    assert found.sizes == (SizeChange("disk", 5, 6),)


def test_without_lists_the_rest_is_told_and_why_the_packages_are_not(shelf: Shelf) -> None:
    shelf.build(WEB, content="small", contents=installed(a="1"))
    shelf.build(BASE, content="larger")
    found = compare(shelf.known(), WEB, 1, BASE, 1)
    assert found.packages is None
    assert f"{BASE}@1 are not known" in found.unknown
    assert found.sizes
