"""The package indices of Debian's mirrors: fetched once, checked against the distribution's keyring, kept.

Format: https://wiki.debian.org/DebianRepository/Format. What is signed is ``InRelease``; it names the digest
of each index. Nothing of a mirror is read before its signature or its digest is right.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import lzma
import re
import urllib.error
import urllib.request
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from .. import __version__, atomic, process, temporary
from ..errors import ImagesError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..workspace import Workspace

KEYRINGS = {
    "debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
"""Where the packages of the distributions put their keyrings, by ``ID`` of os-release."""

_SILENCE_S = 30.0
_MOST_RELEASE = 4 * 1024 * 1024
_MOST_INDEX = 512 * 1024 * 1024
_FORMS = (".xz", ".gz", "")
_DIGEST = re.compile(r"^ ([0-9a-f]{64}) +([0-9]{1,12}) +(\S+)$", re.MULTILINE)


class Suite(NamedTuple):
    """One line of an image's sources.

    Attributes:
        uri: of the mirror, without a slash at its end.
        name: of the suite, as in ``bookworm-security``.
        components: as in ``main``.
    """

    uri: str
    name: str
    components: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.uri} {self.name}"


def suites(lines: Iterable[str]) -> list[Suite]:
    """The suites of lines as sources.list(5) has them; lines with a path in place of one are left out."""
    found = []
    for line in lines:
        kind, *words = re.sub(r"\[[^]]*\]", " ", line).split()
        if kind == "deb" and len(words) >= 3:
            found.append(Suite(words[0].rstrip("/"), words[1].strip("/"), tuple(words[2:])))
    return found


class Offered(NamedTuple):
    """A package that a mirror offers.

    Attributes:
        version: of the package.
        suite: where it comes from.
        security: whether that is a suite of security updates.
    """

    version: str
    suite: str
    security: bool


class Release(NamedTuple):
    """What a mirror signed of a suite.

    Attributes:
        indices: size and sha256 of each file, by its path below the suite.
        security: whether it is a suite of security updates.
    """

    indices: dict[str, tuple[int, str]]
    security: bool


class Mirrors:
    """The mirrors that images are compared with; each suite is fetched at most once.

    Args:
        workspace: the cache lies in its ``.cache/mirrors/``.
        now: the moment, for releases that have expired; this one when not given.
    """

    def __init__(self, workspace: Workspace, now: datetime | None = None) -> None:
        self._workspace = workspace
        self._folder = workspace.root / ".cache" / "mirrors"
        self._now = now or datetime.now(UTC)
        self._releases: dict[tuple[str, str, str], Release] = {}
        self._indices: dict[str, dict[str, list[str]]] = {}

    def offered(self, suite: Suite, system: str, architectures: Iterable[str]) -> dict[str, list[Offered]]:
        """What a suite offers, by name and architecture, ``openssl:amd64``.

        Args:
            suite: the suite.
            system: ``ID`` of the image's os-release, which names the keyring.
            architectures: those that the image has.

        Raises:
            ImagesError: the mirror cannot be reached, or what it says is not signed, is old, or is something
                else than what was signed.
            OSError: the cache cannot be written.
        """
        release = self._release(suite, system)
        found: dict[str, list[Offered]] = {}
        for component in suite.components:
            for architecture in architectures:
                path = f"{component}/binary-{architecture}/Packages"
                for name, versions in self._index(suite, release, path).items():
                    found.setdefault(name, []).extend(
                        Offered(version, suite.name, release.security) for version in versions
                    )
        return found

    def _release(self, suite: Suite, system: str) -> Release:
        key = (suite.uri, suite.name, system)
        if key not in self._releases:
            url = f"{suite.uri}/dists/{suite.name}/InRelease"
            keyring = self._keyring(system)
            document, validators = self._fetch(url)
            self._releases[key] = self._checked(suite, document, keyring, url)
            if validators is not None:  # only what was signed is kept
                atomic.replace(self._file(url, ""), document)
                atomic.replace(self._file(url, ".json"), json.dumps(validators).encode())
        return self._releases[key]

    def _keyring(self, system: str) -> Path:
        said = self._workspace.settings.mirrors_keyring
        text = said or KEYRINGS.get(system, "")
        file = self._workspace.root / text
        if not text or not file.is_file():
            raise ImagesError(
                f"there is no keyring of {system} to check its mirrors with" + (f": {file}" if text else ""),
                hint="install debian-archive-keyring or its like, or set [mirrors] keyring = FILE",
            )
        return file

    def _checked(self, suite: Suite, document: bytes, keyring: Path, url: str) -> Release:
        """Check the signature of a release, and read what was signed."""
        with temporary.folder() as folder:
            temporary.write(folder / "InRelease", document)
            done = process.run(
                [
                    *("gpgv", "--keyring", str(keyring), "--output", str(folder / "signed")),
                    str(folder / "InRelease"),
                ],
                timeout=_SILENCE_S,
            )
            if done.returncode or not (folder / "signed").is_file():
                why = " ".join(done.stderr.split())[-200:]
                raise ImagesError(f"{url} is not signed with a key of {keyring}: {why}")
            text = (folder / "signed").read_text(encoding="utf-8", errors="replace")
        fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", text, re.MULTILINE))
        if suite.name not in (fields.get("Suite"), fields.get("Codename")):
            raise ImagesError(f"{url} is of another suite: {fields.get('Suite') or fields.get('Codename')}")
        if (until := fields.get("Valid-Until")) and _moment(until, url) < self._now:
            raise ImagesError(f"{url} has expired: it was valid until {until}")
        self._not_older(url, _moment(fields.get("Date", ""), url))
        section = text.partition("\nSHA256:")[2]
        section = re.split(r"\n(?=\S)", section, maxsplit=1)[0]
        indices = {path: (int(size), digest) for digest, size, path in _DIGEST.findall(section)}
        label = fields.get("Label", "")
        return Release(indices, "security" in label.lower() or "security" in suite.name.lower())

    def _not_older(self, url: str, date: datetime) -> None:
        """Refuse a release that is older than the one that this mirror gave before."""
        file = self._file(url, ".date")
        text = date.isoformat()
        before = file.read_text(encoding="ascii") if file.is_file() else ""
        if before and datetime.fromisoformat(before) > date:
            raise ImagesError(
                f"{url} is older than what this mirror gave before: of {text}, after {before}",
                hint=f"if that is meant, remove {self._workspace.relative(file)}",
            )
        if before != text:
            atomic.replace(file, text.encode())

    def _index(self, suite: Suite, release: Release, path: str) -> dict[str, list[str]]:
        """The versions of each package of an index, by name and architecture."""
        form = next((form for form in _FORMS if f"{path}{form}" in release.indices), None)
        if form is None:
            raise ImagesError(f"{suite} has no index {path}")
        size, digest = release.indices[f"{path}{form}"]
        if digest in self._indices:
            return self._indices[digest]
        kept = self._folder / f"{digest}{form}"
        packed = kept.read_bytes() if kept.is_file() else b""
        if hashlib.sha256(packed).hexdigest() != digest:
            url = f"{suite.uri}/dists/{suite.name}/{path}{form}"
            packed = _get(url, {}, min(size, _MOST_INDEX))[0] or b""
            if hashlib.sha256(packed).hexdigest() != digest:
                raise ImagesError(f"{url} is not what was signed")
            atomic.replace(kept, packed)
        self._indices[digest] = _versions(_unpacked(packed, form, path))
        return self._indices[digest]

    def _fetch(self, url: str) -> tuple[bytes, dict[str, str] | None]:
        """What is at a URL, and by what to ask next time; None with what was kept and has not changed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file, about = self._file(url, ""), self._file(url, ".json")
        headers: dict[str, str] = {}
        if file.is_file() and about.is_file():
            try:
                known = json.loads(about.read_bytes())
                pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "modified"))
                headers = {header: known[name] for header, name in pairs if known.get(name)}
            except (ValueError, TypeError, AttributeError):
                headers = {}  # it is fetched whole
        content, validators = _get(url, headers, _MOST_RELEASE)
        if content is None:
            return file.read_bytes(), None
        return content, validators

    def _file(self, url: str, suffix: str) -> Path:
        return self._folder / (hashlib.sha256(url.encode()).hexdigest() + suffix)


def _moment(text: str, url: str) -> datetime:
    try:
        found = parsedate_to_datetime(text)
    except ValueError as error:
        raise ImagesError(f"{url} says no date that can be read: {text!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _get(url: str, headers: dict[str, str], most: int) -> tuple[bytes | None, dict[str, str]]:
    """Ask a mirror for a file.

    Args:
        url: ``http://`` or ``https://``.
        headers: of the request; with conditions the answer may be that nothing has changed.
        most: bytes that may come.

    Returns:
        Its content, None where nothing has changed; and by what to ask next time.

    Raises:
        ImagesError: the mirror cannot be reached, or says no.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ImagesError(f"{url}: only mirrors over HTTP and HTTPS are asked")
    # Of the handlers that urllib has, those of these two transports alone: a mirror redirects to no file.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": f"packer-hybrid/{__version__}", **headers})
    try:
        with opener.open(request, timeout=_SILENCE_S) as answer:
            content: bytes = answer.read(most + 1)
            names = (("etag", "ETag"), ("modified", "Last-Modified"))
            validators = {name: answer.headers.get(header) or "" for name, header in names}
    except urllib.error.HTTPError as error:
        if error.code == 304 and headers:
            return None, {}
        raise ImagesError(f"cannot fetch {url}: the server says {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise ImagesError(
            f"offline: the mirror cannot be asked for {url}: {reason}",
            hint="nothing is known of updates until it can be reached",
        ) from error
    if len(content) > most:
        raise ImagesError(f"{url} has more than {most:,} bytes")
    return content, validators


def _unpacked(packed: bytes, form: str, path: str) -> str:
    """The text of an index, of a bounded size."""
    try:
        if form == ".xz":
            content = lzma.LZMADecompressor().decompress(packed, _MOST_INDEX)
        elif form == ".gz":
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, _MOST_INDEX)
        else:
            content = packed
    except (lzma.LZMAError, zlib.error) as error:
        raise ImagesError(f"the index {path} cannot be unpacked: {error}") from error
    return content.decode("utf-8", errors="replace")


def _versions(text: str) -> dict[str, list[str]]:
    """The versions of each package of an index, by name and architecture."""
    found: dict[str, list[str]] = {}
    for paragraph in text.split("\n\n"):
        fields = {}
        for name in ("Package", "Version", "Architecture"):
            start = paragraph.find(f"\n{name}: ") + 1
            if start or paragraph.startswith(f"{name}: "):
                fields[name] = paragraph[start + len(name) + 2 :].partition("\n")[0].strip()
        if len(fields) == 3:
            found.setdefault(f"{fields['Package']}:{fields['Architecture']}", []).append(fields["Version"])
    return found
