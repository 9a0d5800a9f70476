"""The packages of an image: read from the lists of dpkg and rpm, written as CycloneDX 1.6.

Pure functions from text to text: the same packages give the same bytes, so that a digest says whether two
images hold the same. Formats: deb822(5) with the fields of dpkg's status file; https://cyclonedx.org (1.6);
https://github.com/package-url/purl-spec for ``deb`` and ``rpm``.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _json
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from ..errors import ImagesError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "contents"
"""Where a build leaves the lists of its image, in the folder that Packer runs in."""

LISTS = (f"{FOLDER}/status", f"{FOLDER}/rpm-qa")
"""Those of which one says what is installed: dpkg's, and what rpm prints."""

MAX_BYTES = 32 * 1024 * 1024
"""Of a list; that of a desktop with 3,000 packages has 4 MB."""

RPM_QUERY = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n"
"""What ``rpm -qa --queryformat`` is to print for all that is kept; plain ``rpm -qa`` does with less."""

# What dpkg has of a package in these states is none of its files; in all others some are there.
_ABSENT = frozenset({"not-installed", "config-files"})
_OUR = "hybridcore:"
_SOURCE = f"{_OUR}source:name"
_SOURCE_VERSION = f"{_OUR}source:version"
_MIRROR = f"{_OUR}mirror"
_RPM = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<release>[^-]+)\.(?P<arch>[^.-]+)").fullmatch
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm").fullmatch
_USER = re.compile(r"//[^/@\s]*@")  # who logs in to a mirror, and how, is nobody's business
_PURL = re.compile(r"pkg:(?P<kind>deb|rpm)/[^?]*(?:\?(?P<qualifiers>[^#]*))?").fullmatch


class Package(NamedTuple):
    """A package that is installed.

    Attributes:
        name: its name.
        version: as its distribution writes it: with epoch, and Debian's revision or RPM's release.
        architecture: as its distribution writes it; empty where that is not known, as for keys of rpm.
        source: the name of its source package, which faults are filed on.
        source_version: the version of that.
    """

    name: str
    version: str
    architecture: str
    source: str
    source_version: str


@dataclass(frozen=True)
class Contents:
    """What is installed in an image.

    Attributes:
        kind: ``deb`` or ``rpm``.
        packages: sorted.
        system: ``ID`` of os-release, as in ``debian``; the family where that is not known.
        release: ``VERSION_ID`` of os-release, as in ``12``; empty where that is not known.
        mirrors: the lines of APT's sources that count, one-line style.
    """

    kind: str
    packages: tuple[Package, ...]
    system: str
    release: str = ""
    mirrors: tuple[str, ...] = ()


def is_list(name: str) -> bool:
    """Whether a file of a build is one that ``gather`` reads, by its name as seen from Packer's folder."""
    folder, __, last = name.rpartition("/")
    return folder == FOLDER and (
        name in LISTS or last == "os-release" or last.endswith((".list", ".sources"))
    )


def gather(folder: Path) -> Contents:
    """Read the lists that a build left.

    Args:
        folder: holds ``status`` of dpkg or ``rpm-qa``; and ``os-release`` and lists of APT's sources, where
            the image has them.

    Raises:
        ImagesError: there is no list, or it is not whole; says which and why.
    """
    names = {path.name for path in folder.iterdir() if path.is_file() and not path.is_symlink()}
    lists = {one for one in names if f"{FOLDER}/{one}" in LISTS}
    if len(lists) != 1:
        found = "both status and rpm-qa" if lists else "neither status nor rpm-qa"
        raise ImagesError(
            f"the packages of the image are not known: {found} lies in {FOLDER}/",
            hint="status is dpkg's, rpm-qa is what rpm prints; docs/images.md shows the provisioner",
        )
    [name] = lists
    release = _os_release(
        _read(folder / "os-release", f"{FOLDER}/os-release") if "os-release" in names else ""
    )
    text = _read(folder / name, f"{FOLDER}/{name}")
    if name == "rpm-qa":
        return from_rpm(text, system=release.get("ID", "rpm"), release=release.get("VERSION_ID", ""))
    mirrors: list[str] = []
    for one in sorted(names):
        if one.endswith(".list"):
            mirrors += _one_line_sources(_read(folder / one, f"{FOLDER}/{one}"))
        elif one.endswith(".sources"):
            mirrors += _deb822_sources(_read(folder / one, f"{FOLDER}/{one}"))
    return from_dpkg(
        text,
        system=release.get("ID", "debian"),
        release=release.get("VERSION_ID", ""),
        mirrors=tuple(dict.fromkeys(mirrors)),
    )


def _read(file: Path, shown: str) -> str:
    with open(file, "rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImagesError(f"{shown} has more than {MAX_BYTES:,} bytes: that is no list of packages")
    return content.decode("utf-8", errors="replace")


def _os_release(text: str) -> dict[str, str]:
    """The fields of os-release(5) that are words."""
    found = re.findall(r"""^([A-Z_]+)=["']?([A-Za-z0-9._-]*)["']?$""", text, re.MULTILINE)
    return {name: value for name, value in found if value}


def from_dpkg(
    text: str, *, system: str = "debian", release: str = "", mirrors: tuple[str, ...] = ()
) -> Contents:
    """Read dpkg's status file.

    Args:
        text: all of it.
        system: ``ID`` of the image's os-release.
        release: ``VERSION_ID`` of it.
        mirrors: what APT installs from.

    Returns:
        The packages of which files are there.

    Raises:
        ImagesError: it is torn, or is none.
    """
    if not text.endswith("\n\n"):  # dpkg ends each paragraph with an empty line
        raise ImagesError(
            "the status of dpkg is torn: it does not end with a whole paragraph" if text else _EMPTY,
            hint=_AGAIN,
        )
    packages = set()
    for paragraph in text.split("\n\n"):
        if not paragraph.strip():
            continue
        paragraph = f"\n{paragraph}\n"
        status = _field(paragraph, "\nStatus: ").rpartition(" ")[2]
        name = _field(paragraph, "\nPackage: ")
        if not status or not name:
            raise ImagesError(
                f"the status of dpkg is torn: a paragraph names no {'status' if name else 'package'}, "
                f"{paragraph.strip().splitlines()[0][:60]!r}",
                hint=_AGAIN,
            )
        if status in _ABSENT:
            continue
        version = _field(paragraph, "\nVersion: ")
        if not version:
            raise ImagesError(f"the status of dpkg is torn: {name} has no version", hint=_AGAIN)
        source, __, its_version = _field(paragraph, "\nSource: ").partition(" (")
        packages.add(
            Package(
                name,
                version,
                _field(paragraph, "\nArchitecture: "),
                source or name,
                its_version.rstrip(")") or version,
            )
        )
    return _contents("deb", packages, system, release, mirrors)


_AGAIN = "the image gives its whole /var/lib/dpkg/status, as docs/images.md shows"
_EMPTY = "the status of dpkg is empty"


def _field(paragraph: str, name: str) -> str:
    start = paragraph.find(name)
    if start < 0:
        return ""
    start += len(name)
    return paragraph[start : paragraph.index("\n", start)].strip()


def from_rpm(text: str, *, system: str = "rpm", release: str = "") -> Contents:
    """Read what ``rpm -qa`` prints.

    Args:
        text: a package a line: as ``RPM_QUERY`` has it, or ``name-version-release.arch``.
        system: ``ID`` of the image's os-release.
        release: ``VERSION_ID`` of it.

    Raises:
        ImagesError: a line is none of a package, or it is torn.
    """
    if not text.endswith("\n"):
        what = "is torn: its last line does not end" if text else "is empty"
        raise ImagesError(f"the list of rpm {what}", hint="the image gives all that rpm -qa prints")
    packages = set()
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("\t")
        plain = _RPM(line)
        if len(fields) == 6 and all(fields[:4]):
            name, epoch, version, its_release, arch, source_rpm = fields
        elif len(fields) == 1 and plain:
            name, version, its_release, arch = plain.groups()
            epoch, source_rpm = "0", ""
        elif re.fullmatch(r"gpg-pubkey-[0-9a-f]+-[0-9a-f]+", line):
            continue  # a key, which rpm keeps among its packages
        else:
            raise ImagesError(
                f"line {number} of the list of rpm is none of a package: {line[:60]!r}",
                hint="what rpm -qa prints, or with the --queryformat of docs/images.md",
            )
        if name == "gpg-pubkey":
            continue
        evr = f"{version}-{its_release}" if epoch in ("0", "(none)") else f"{epoch}:{version}-{its_release}"
        source = _SOURCE_RPM(source_rpm)
        packages.add(Package(name, evr, arch, source[1] if source else name, source[2] if source else evr))
    return _contents("rpm", packages, system, release, ())


def _contents(
    kind: str, packages: set[Package], system: str, release: str, mirrors: tuple[str, ...]
) -> Contents:
    if not packages:
        raise ImagesError("the list of packages names none that is installed")
    return Contents(kind, tuple(sorted(packages)), system, release, mirrors)


def _one_line_sources(text: str) -> list[str]:
    """The lines of a file as sources.list(5) describes it, comments left out."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return [_USER.sub("//", " ".join(words)) for words in lines if words[:1] == ["deb"]]


def _deb822_sources(text: str) -> list[str]:
    """The paragraphs of a ``.sources`` file as lines of the other style."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        found = re.findall(r"(?m)^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", paragraph)
        fields = {name.lower(): value.split() for name, value in found}
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        parts = fields.get("components", [])
        lines += [
            _USER.sub("//", " ".join(["deb", uri, suite, *parts]))
            for uri in fields.get("uris", [])
            for suite in fields.get("suites", [])
        ]
    return lines


def to_cyclonedx(contents: Contents) -> bytes:
    """Contents as a CycloneDX 1.6 document; the same contents give the same bytes.

    Nothing in it depends on when or where it was made: its serial number follows from what it says.
    """
    metadata = {
        "component": {
            "bom-ref": "system",
            "name": contents.system,
            "type": "operating-system",
            **({"version": contents.release} if contents.release else {}),
        },
        "properties": [{"name": _MIRROR, "value": one} for one in contents.mirrors],
    }
    components = ",\n".join(_component(contents, one) for one in contents.packages)
    body = f'"components": [\n{components}\n],\n"metadata": {json.dumps(metadata)},\n'
    digest = hashlib.sha256(body.encode()).hexdigest()
    # A UUID of version 8 (RFC 9562), which is free to hold a digest.
    serial = f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    head = '{\n"bomFormat": "CycloneDX",\n"specVersion": "1.6",\n"version": 1,\n'
    return f'{head}{body}"serialNumber": "urn:uuid:{serial}"\n}}\n'.encode()


def _component(contents: Contents, one: Package) -> str:
    """A package as a line; put together by hand, since ``json.dumps`` of them all takes most of the time."""
    purl = _json(purl_of(contents, one))
    source, of_it = _json(one.source), _json(one.source_version)
    return (
        f'{{"type": "library", "bom-ref": {purl}, "name": {_json(one.name)}, '
        f'"version": {_json(one.version)}, "purl": {purl}, "properties": '
        f'[{{"name": "{_SOURCE}", "value": {source}}}, {{"name": "{_SOURCE_VERSION}", "value": {of_it}}}]}}'
    )


def purl_of(contents: Contents, one: Package) -> str:
    """The package URL of a package of an image."""
    version = one.version
    qualifiers = [f"arch={_quoted(one.architecture)}"] if one.architecture else []
    if contents.release:
        qualifiers.append(f"distro={_quoted(contents.system)}-{_quoted(contents.release)}")
    if contents.kind == "rpm" and ":" in version:
        epoch, __, version = version.partition(":")
        qualifiers.append(f"epoch={_quoted(epoch)}")
    rest = f"?{'&'.join(qualifiers)}" if qualifiers else ""
    name = f"{_quoted(contents.system)}/{_quoted(one.name)}@{_quoted(version)}"
    return f"pkg:{contents.kind}/{name}{rest}"


_PLAIN = re.compile(r"[A-Za-z0-9.:_~-]*").fullmatch


def _quoted(text: str) -> str:
    return text if _PLAIN(text) else quote(text, safe=":~")


def from_cyclonedx(text: bytes | str) -> Contents:
    """Read what ``to_cyclonedx`` wrote.

    Raises:
        ImagesError: it is something else.
    """
    try:
        document = json.loads(text)
        component = document["metadata"]["component"]
        packages = []
        kinds = set()
        for one in document["components"]:
            purl = _PURL(one["purl"])
            if purl is None:
                raise ValueError(one["purl"])
            kinds.add(purl["kind"])
            qualifiers = dict(part.split("=", 1) for part in (purl["qualifiers"] or "").split("&") if part)
            properties = {prop["name"]: prop["value"] for prop in one["properties"]}
            packages.append(
                Package(
                    one["name"],
                    one["version"],
                    unquote(qualifiers.get("arch", "")),
                    properties[_SOURCE],
                    properties[_SOURCE_VERSION],
                )
            )
        [kind] = kinds
        mirrors = [prop["value"] for prop in document["metadata"]["properties"] if prop["name"] == _MIRROR]
        return Contents(
            kind, tuple(packages), component["name"], component.get("version", ""), tuple(mirrors)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImagesError(f"the contents of the image are none that were written here: {error}") from error
