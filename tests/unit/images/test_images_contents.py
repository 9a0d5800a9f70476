"""The packages of an image: from what dpkg and rpm say to CycloneDX, and back."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from hybridcore.errors import ImagesError
from hybridcore.images import contents
from hybridcore.images.contents import Contents, Package

STATUS = """\
Package: openssl
Status: install ok installed
Priority: optional
Architecture: amd64
Version: 3.0.17-1~deb12u2
Depends: libc6 (>= 2.34), libssl3 (>= 3.0.17)
Description: Secure Sockets Layer toolkit
 .
 Version: of a line that is continued

Package: libssl3
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: openssl
Version: 3.0.17-1~deb12u2

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: half
Status: install ok half-configured
Architecture: all
Source: half-src (1:2.0-1)
Version: 2.0-1+b1

Package: libssl3
Status: install ok installed
Architecture: i386
Source: openssl
Version: 3.0.17-1~deb12u2

"""

RPM = "\n".join(
    "\t".join(fields)
    for fields in [
        ("openssl", "1", "3.0.7", "27.el9", "x86_64", "openssl-3.0.7-27.el9.src.rpm"),
        ("kernel-core", "0", "5.14.0", "427.el9", "x86_64", "kernel-5.14.0-427.el9.src.rpm"),
        ("gpg-pubkey", "0", "fd431d51", "4ae0493b", "(none)", "(none)"),
        ("foo^bar", "0", "1.0~rc1^git1", "1", "noarch", "(none)"),
        "",
    ]
)


def schema() -> Any:
    """The official schema of CycloneDX 1.6, with those that it names."""
    folder = importlib.resources.files("cyclonedx.schema") / "_res"

    def load(name: str) -> Any:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    names = ("bom-1.6.SNAPSHOT", "spdx.SNAPSHOT", "jsf-0.82.SNAPSHOT")
    texts = [load(f"{name}.schema.json") for name in names]
    known = [(text["$id"], Resource.from_contents(text)) for text in texts]
    registry: Any = Registry().with_resources(known)
    return jsonschema.Draft7Validator(
        texts[0], registry=registry, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )


def test_the_packages_of_dpkg_are_those_that_are_there() -> None:
    found = contents.from_dpkg(STATUS)
    assert found.packages == (
        Package("half", "2.0-1+b1", "all", "half-src", "1:2.0-1"),
        Package("libssl3", "3.0.17-1~deb12u2", "amd64", "openssl", "3.0.17-1~deb12u2"),
        Package("libssl3", "3.0.17-1~deb12u2", "i386", "openssl", "3.0.17-1~deb12u2"),
        Package("openssl", "3.0.17-1~deb12u2", "amd64", "openssl", "3.0.17-1~deb12u2"),
    )


def test_the_packages_of_rpm_have_their_epoch_and_their_source() -> None:
    found = contents.from_rpm(RPM, system="almalinux", release="9.4")
    assert found.packages == (
        Package("foo^bar", "1.0~rc1^git1-1", "noarch", "foo^bar", "1.0~rc1^git1-1"),
        Package("kernel-core", "5.14.0-427.el9", "x86_64", "kernel", "5.14.0-427.el9"),
        Package("openssl", "1:3.0.7-27.el9", "x86_64", "openssl", "3.0.7-27.el9"),
    )


def test_what_rpm_prints_by_itself_is_read_too() -> None:
    text = "gpg-pubkey-fd431d51-4ae0493b\nbash-completion-2.11-5.el9.noarch\ntzdata-2024a-1.el9.noarch\n"
    assert [(one.name, one.version, one.architecture) for one in contents.from_rpm(text).packages] == [
        ("bash-completion", "2.11-5.el9", "noarch"),
        ("tzdata", "2024a-1.el9", "noarch"),
    ]


@pytest.mark.parametrize(
    "found",
    [
        contents.from_dpkg(STATUS, system="debian", release="12", mirrors=("deb http://a/ b main",)),
        contents.from_dpkg(STATUS),
        contents.from_rpm(RPM, system="almalinux", release="9.4"),
    ],
)
def test_the_document_is_valid_by_the_official_schema_and_read_again(found: Contents) -> None:
    document = contents.to_cyclonedx(found)
    validator = schema()
    assert list(validator.iter_errors(json.loads(document))) == []
    broken = json.loads(document)
    broken["components"][0]["type"] = "thing"
    assert list(validator.iter_errors(broken)), "the schema accepts anything"
    assert contents.from_cyclonedx(document) == found


def test_the_packages_of_this_machine_are_valid_too(dpkg_status: str) -> None:
    found = contents.from_dpkg(dpkg_status, release="12")
    assert list(schema().iter_errors(json.loads(contents.to_cyclonedx(found)))) == []


@pytest.fixture
def dpkg_status() -> str:
    file = Path("/var/lib/dpkg/status")
    if not file.is_file():
        pytest.skip("this machine has no dpkg")
    return file.read_text(encoding="utf-8")


def test_the_same_packages_give_the_same_bytes() -> None:
    turned = "\n\n".join(reversed(STATUS.strip("\n").split("\n\n"))) + "\n\n"
    document = contents.to_cyclonedx(contents.from_dpkg(STATUS))
    assert contents.to_cyclonedx(contents.from_dpkg(turned)) == document
    assert contents.to_cyclonedx(contents.from_dpkg(STATUS.replace("deb12u2", "deb12u3"))) != document
    serial = json.loads(document)["serialNumber"]
    other = contents.to_cyclonedx(contents.from_dpkg(STATUS, release="12"))
    assert json.loads(other)["serialNumber"] != serial


def test_package_urls_are_written_as_their_specification_says() -> None:
    found = Contents("deb", (), "debian", "12")
    one = Package("libstdc++6", "1:12.2.0-14+deb12u1", "amd64", "gcc-12", "12.2.0")
    assert contents.purl_of(found, one) == (
        "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12"
    )
    rpm = Package("openssl", "1:3.0.7-27.el9", "x86_64", "openssl", "3.0.7-27.el9")
    assert contents.purl_of(Contents("rpm", (), "almalinux"), rpm) == (
        "pkg:rpm/almalinux/openssl@3.0.7-27.el9?arch=x86_64&epoch=1"
    )


# Cut behind a paragraph it is a whole list of fewer packages, as far as anybody can tell.
CUTS = [cut for cut in range(1, len(STATUS) - 1, 7) if not STATUS[:cut].endswith("\n\n")]


@pytest.mark.parametrize("cut", CUTS)
def test_a_torn_status_is_an_error(cut: int) -> None:
    with pytest.raises(ImagesError, match="torn"):
        contents.from_dpkg(STATUS[:cut])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("no list at all\n\n", "names no package"),
        ("Package: a\n\n", "names no status"),
        ("Package: a\nStatus: install ok installed\n\n", "a has no version"),
        ("Package: a\nStatus: deinstall ok config-files\nVersion: 1\n\n", "none that is installed"),
    ],
)
def test_what_is_no_status_is_an_error(text: str, said: str) -> None:
    with pytest.raises(ImagesError, match=said):
        contents.from_dpkg(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("bash-5.1-1.el9.x86_64", "torn"), ("bash-5.1-1.el9.x86_64\nwhat?\n", "line 2 .*what")],
)
def test_what_is_no_list_of_rpm_is_an_error(text: str, said: str) -> None:
    with pytest.raises(ImagesError, match=said):
        contents.from_rpm(text)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"metadata": {"component": {"name": "a"}}, "components": [1]}']
)
def test_a_document_of_something_else_is_an_error(text: str) -> None:
    with pytest.raises(ImagesError, match="none that were written here"):
        contents.from_cyclonedx(text)


def test_all_that_the_image_gave_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "os-release").write_text('PRETTY_NAME="Debian"\nVERSION_ID="12"\nID=debian\n')
    (tmp_path / "sources.list").write_text(
        "# deb http://old/ a b\ndeb [signed-by=/k] http://me:pw@mirror/debian bookworm main # all\n"
        "deb-src http://mirror/debian bookworm main\n"
    )
    (tmp_path / "more.sources").write_text(
        "Types: deb deb-src\nURIs: https://me:pw@security/ \nSuites: bookworm-security\n# no\n"
        "Components: main\n contrib\n\nTypes: deb\nURIs: http://off\nSuites: x\nEnabled: no\n"
    )
    found = contents.gather(tmp_path)
    assert (found.system, found.release, len(found.packages)) == ("debian", "12", 4)
    assert found.mirrors == (
        "deb https://security/ bookworm-security main contrib",
        "deb [signed-by=/k] http://mirror/debian bookworm main",
    )


def test_rpm_is_known_by_its_list(tmp_path: Path) -> None:
    (tmp_path / "rpm-qa").write_text(RPM)
    (tmp_path / "os-release").write_text("ID='almalinux'\nVERSION_ID='9.4'\n")
    found = contents.gather(tmp_path)
    assert (found.kind, found.system, found.release, len(found.packages)) == (
        "rpm",
        "almalinux",
        "9.4",
        3,
    )


def test_no_list_and_two_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="neither status nor rpm-qa"):
        contents.gather(tmp_path)
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "rpm-qa").write_text(RPM)
    with pytest.raises(ImagesError, match="both status and rpm-qa"):
        contents.gather(tmp_path)


def test_a_link_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "status").symlink_to("/var/lib/dpkg/status")
    with pytest.raises(ImagesError, match="neither"):
        contents.gather(tmp_path)


def test_a_list_of_50_megabytes_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "status", "wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(ImagesError, match=r"contents/status has more than 33,554,432 bytes"):
        contents.gather(tmp_path)
