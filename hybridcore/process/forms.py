"""The forms in which a secret may appear in the output of Packer and of what it runs.

Used by ``mask``, and described for users in ``docs/secrets.md``.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator

MIN_LENGTH = 4
# Widths at which base64 is wrapped: by coreutils and MIME, and in PEM files.
_WRAPS = (76, 64)


def of_all(secrets: Iterable[str]) -> list[tuple[bytes, bool]]:
    """All the forms of all the secrets.

    Args:
        secrets: the values, each of at least 4 characters.

    Returns:
        Pairs, sorted: the form, at least 4 bytes long, and whether it is a run inside of base64,
        whose neighbours hold a few bits of the secret too.
    """
    found: dict[bytes, bool] = {}
    for secret in set(secrets):
        for text in {secret, *_lines(secret)}:
            for form, inside in _of_one(text):
                # Fewer bytes, at the end of wrapped base64, tell too little and match too much.
                if len(form) >= MIN_LENGTH:
                    found.setdefault(form, inside)
    return sorted(found.items())


def _lines(secret: str) -> Iterator[str]:
    """The lines of a secret of several, each of which may be printed apart."""
    lines = re.split(r"\r\n|\r|\n", secret)
    if len(lines) > 1:
        for line in lines:
            if len(line) >= MIN_LENGTH:
                yield line
            if len(line.strip()) >= MIN_LENGTH:
                yield line.strip()


def _of_one(text: str) -> Iterator[tuple[bytes, bool]]:
    texts = {text}
    for encode in (_json, _json_ascii, _json_go, _go_quoted, _python, _shell, _backslashed, _wrapped):
        texts.update(encode(text))
    # JSON inside a string of JSON, as Ansible prints the results of a module at -vvv.
    for once in (*_json(text), *_json_ascii(text)):
        texts.update((*_json(once), *_json_ascii(once)))
    texts.update(_urls(text))
    for form in set(texts):
        texts.update(_machine_readable(form))
    for form in texts:
        yield _bytes(form), False
    yield from _base64(_bytes(text))
    # Windows reads scripts as base64 of UTF-16.
    yield from _base64(text.encode("utf-16-le", "surrogatepass"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _machine_readable(text: str) -> Iterator[str]:
    """As ``packer -machine-readable`` writes it."""
    text = text.replace("\r", "\\r").replace("\n", "\\n")
    yield text
    yield text.replace(",", "%!(PACKER_COMMA)")
    # Carriage returns are dropped from what a remote command prints.
    if "\\r\\n" in text:
        yield text.replace("\\r\\n", "\\n").replace(",", "%!(PACKER_COMMA)")


def _json(text: str) -> Iterator[str]:
    once = json.dumps(text, ensure_ascii=False)[1:-1]
    yield once
    yield once.replace("/", "\\/")


def _json_ascii(text: str) -> Iterator[str]:
    once = json.dumps(text)[1:-1]
    yield once
    yield re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), once)


def _json_go(text: str) -> Iterator[str]:
    """Go's encoder escapes what HTML would read."""
    for once in _json(text):
        for char in "<>&\u2028\u2029":
            once = once.replace(char, f"\\u{ord(char):04x}")
        yield once


def _go_quoted(text: str) -> Iterator[str]:
    """As ``%q`` of Go, and HCL's diagnostics, print it."""
    named = {
        "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
        '"': '\\"', "\\": "\\\\",
    }  # fmt: skip
    out, ascii_only = [], []
    for char in text:
        code = ord(char)
        if char in named:
            quoted = named[char]
        elif char.isprintable():
            quoted = char
        elif code < 128:
            quoted = f"\\x{code:02x}"
        else:
            quoted = f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        out.append(quoted)
        if code < 128:
            ascii_only.append(quoted)
        else:
            ascii_only.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    yield "".join(out)
    yield "".join(ascii_only)
    # A template marker in a quoted string of HCL is doubled.
    yield "".join(out).replace("${", "$${").replace("%{", "%%{")


def _python(text: str) -> Iterator[str]:
    """As ``repr`` of Python prints it, in either quote."""
    yield repr(text)[1:-1]
    yield repr(text + "'\"")[1:-4].replace("\\'", "'")
    yield repr(_bytes(text))[2:-1]


def _shell(text: str) -> Iterator[str]:
    yield text.replace("'", "'\\''")
    yield shlex.quote(text)
    yield re.sub(r'([\\"$`])', r"\\\1", text)
    # $'...' of bash, from ``set -x`` and ``printf %q``; what is not ASCII depends on the locale.
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    for char, name in (("\n", "n"), ("\r", "r"), ("\t", "t"), ("\x1b", "E")):
        quoted = quoted.replace(char, f"\\{name}")
    yield quoted
    yield "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in _bytes(quoted))


def _backslashed(text: str) -> Iterator[str]:
    """Each character that a shell would read has a backslash before it; ``%q`` of bash counts the comma."""
    yield re.sub(r"""([ \t!"$&'()*;<>?\[\\\]^`{|}])""", r"\\\1", text)
    yield re.sub(r"""([ \t!"$&'()*,;<>?\[\\\]^`{|}])""", r"\\\1", text)


def _wrapped(text: str) -> Iterator[str]:
    """Packer's diagnostics break long lines at a blank."""
    for match in re.finditer(r"(?<=\S) (?=\S)", text):
        yield text[: match.start()] + "\n" + text[match.end() :]


def _urls(text: str) -> Iterator[str]:
    data = _bytes(text)
    for safe in ("", "/", "/:", "-_.!~*'()", "$-_.+!*'(),", "/:;,=@&$!*'()+"):
        for encoded in (urllib.parse.quote(data, safe=safe), urllib.parse.quote_plus(data, safe=safe)):
            yield encoded
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)


def _base64(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Whole, wrapped, and as a part of something longer at each of the three alignments."""
    whole = base64.b64encode(data)
    found = [(whole, False)]
    for width in _WRAPS:
        if len(whole) > width:
            found += [(whole[at : at + width], False) for at in range(0, len(whole), width)]
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        # Characters whose six bits all belong to the secret.
        run = encoded[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        found.append((run, True))
    urlsafe = bytes.maketrans(b"+/", b"-_")
    for form, inside in found:
        yield form, inside
        yield form.translate(urlsafe), inside
        if form.endswith(b"="):
            yield form.replace(b"=", b"%3D"), inside
            yield form.replace(b"=", b"%3d"), inside
            yield form.rstrip(b"="), inside
