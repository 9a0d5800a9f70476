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
from typing import NamedTuple

from .lines import strip_ansi_text

MIN_LENGTH = 4
# What Packer puts in place of a sensitive value where it redacts it itself, as in its own log.
REDACTED = "<sensitive>"
COMMA = "%!(PACKER_COMMA)"
# The characters that no encoding of URLs escapes.
_SAFE = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


class Forms(NamedTuple):
    """All the forms of some secrets, each at least 4 bytes long; sorted.

    Attributes:
        texts: as they are written.
        runs: the characters of base64 whose bits are the secret's alone; their neighbours hold a few too.
    """

    texts: tuple[bytes, ...]
    runs: tuple[bytes, ...]


def of_all(secrets: Iterable[str]) -> Forms:
    """All the forms of all the secrets.

    Args:
        secrets: the values, each of at least 4 characters.
    """
    whole = {text for secret in set(secrets) for text in (secret, *_json_leaves(secret))}
    parts = whole.union(*map(_lines, whole))
    # Escape sequences are removed before the search; one that begins within a secret may end behind it.
    plain = {strip_ansi_text(part) for part in parts if "\x1b" in part}
    parts |= plain | {text for part in plain if len(text := part.partition("\x1b")[0]) >= MIN_LENGTH}
    texts: set[str] = set()
    runs: set[bytes] = set()
    for part in parts:
        texts |= _of_one(part)
        runs.update(_base64(_bytes(part)))
        # Windows reads scripts as base64 of UTF-16.
        runs.update(_base64(part.encode("utf-16-le", "surrogatepass")))
    found = {_bytes(text) for text in texts}
    # Shorter forms, such as base64 of a few bytes, give away little and would match everywhere.
    return Forms(
        tuple(sorted(form for form in found if len(form) >= MIN_LENGTH)),
        tuple(sorted(run for run in runs if len(run) >= MIN_LENGTH)),
    )


def _json_leaves(secret: str) -> Iterator[str]:
    """The texts and numbers within a secret that is JSON, such as the key of a service account."""
    if not secret.lstrip().startswith(("{", "[")):
        return
    try:
        waiting = [json.loads(secret, parse_int=str, parse_float=str)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) >= MIN_LENGTH:
            yield value


def _lines(secret: str) -> Iterator[str]:
    """The lines of a secret of several, each of which may be printed apart."""
    lines = re.split(r"\r\n|\r|\n", secret)
    if len(lines) > 1:
        for line in lines:
            if len(line) >= MIN_LENGTH:
                yield line
            if len(line.strip()) >= MIN_LENGTH:
                yield line.strip()


def _of_one(text: str) -> set[str]:
    texts = {text}
    for encode in (_json, _json_ascii, _json_go, _go_quoted, _python, _shell, _backslashed):
        texts.update(encode(text))
    # JSON inside a string of JSON, as Ansible prints the results of a module at -vvv.
    for once in (*_json(text), *_json_ascii(text)):
        texts.update((*_json(once), *_json_ascii(once)))
    texts.update(_urls(text))
    for form in set(texts):
        texts.update(_machine_readable(form))
    return texts


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _machine_readable(text: str) -> Iterator[str]:
    """A secret as ``packer -machine-readable`` writes it, and as that is read again, which may differ."""
    written = text.replace("\r", "\\r").replace("\n", "\\n")
    yield written
    yield written.replace(",", COMMA)
    # Carriage returns are dropped from what a remote command prints.
    if "\\r\\n" in written:
        yield written.replace("\\r\\n", "\\n").replace(",", COMMA)
    if "\\" in written or COMMA in written:
        read = written.replace(COMMA, ",").replace("\\r\\n", "\n").replace("\\n", "\n")
        yield read
        yield read.replace("\\r", "\r")


def _json(text: str) -> Iterator[str]:
    once = json.dumps(text, ensure_ascii=False)[1:-1]
    yield once
    yield once.replace("/", "\\/")


def _json_ascii(text: str) -> Iterator[str]:
    once = json.dumps(text)[1:-1]
    yield once
    yield re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), once)


def _json_go(text: str) -> Iterator[str]:
    """A JSON text as Go writes it: its encoder escapes ``<``, ``>`` and ``&`` too."""
    for once in _json(text):
        for char in "<>&\u2028\u2029":
            once = once.replace(char, f"\\u{ord(char):04x}")
        yield once


def _go_quoted(text: str) -> Iterator[str]:
    """A secret as ``%q`` of Go prints it, and with it the diagnostics of HCL."""
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
    """A secret as ``repr`` of Python prints it, in either kind of quotes."""
    yield repr(text)[1:-1]
    yield repr(text + "'\"")[1:-4].replace("\\'", "'")
    yield repr(_bytes(text))[2:-1]


def _shell(text: str) -> Iterator[str]:
    yield text.replace("'", "'\\''")
    yield shlex.quote(text)
    # The same within a longer text.
    yield text.replace("'", "'\"'\"'")
    yield re.sub(r'([\\"$`])', r"\\\1", text)
    # $'...' of bash, from ``set -x`` and ``printf %q``; what is not ASCII depends on the locale.
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    for char, name in (("\n", "n"), ("\r", "r"), ("\t", "t"), ("\x1b", "E")):
        quoted = quoted.replace(char, f"\\{name}")
    yield quoted
    yield "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in _bytes(quoted))


def _backslashed(text: str) -> Iterator[str]:
    """A secret with a backslash before what a shell would read; bash's ``%q`` puts one before a comma too."""
    yield re.sub(r"""([ \t!"$&'()*;<>?\[\\\]^`{|}])""", r"\\\1", text)
    yield re.sub(r"""([ \t!"$&'()*,;<>?\[\\\]^`{|}])""", r"\\\1", text)


def _urls(text: str) -> Iterator[str]:
    if _SAFE(text):
        return
    data = _bytes(text)
    for safe in ("", "/", "/:", "-_.!~*'()", "$-_.+!*'(),", "/:;,=@&$!*'()+"):
        for encoded in (urllib.parse.quote(data, safe=safe), urllib.parse.quote_plus(data, safe=safe)):
            yield encoded
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)


def _base64(data: bytes) -> Iterator[bytes]:
    """The base64 of a secret within something longer, at each of three alignments; alone it has the first."""
    urlsafe = bytes.maketrans(b"+/", b"-_")
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        # Characters whose six bits all belong to the secret.
        run = encoded[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        yield run
        yield run.translate(urlsafe)
