"""The masker: every form of a secret, at any place, however the stream is cut."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shlex
import subprocess
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.process.mask import Masker, check_secret

AWKWARD = "p\"a's,s\\w/o<r>d&+ä€\U0001f511 two=$x`y%z!"
MULTI = 'first line, 1\nsecond "line"\r\nlast\\line'
SECRETS = [AWKWARD, MULTI, "plain4", "abcd", "a,b,c,d", "Zm9v+/==", "  spaced  out  "]


def packer_machine_readable(text: str) -> str:
    return text.replace(",", "%!(PACKER_COMMA)").replace("\r", "\\r").replace("\n", "\\n")


def bash_quoted(text: str) -> str:
    done = subprocess.run(["bash", "-c", 'printf %q "$1"', "-", text], capture_output=True, check=True)
    return done.stdout.decode()


def lower_hex(text: str) -> str:
    quoted = urllib.parse.quote(text, safe="")
    parts = quoted.split("%")
    return parts[0] + "".join("%" + part[:2].lower() + part[2:] for part in parts[1:])


FORMS = {
    "plain": lambda text: text,
    "machine readable": packer_machine_readable,
    "json": lambda text: json.dumps(text, ensure_ascii=False),
    "json ascii": json.dumps,
    "json ascii, hex in capitals": lambda text: re.sub(
        r"(?<!\\)((?:\\\\)*\\u)([0-9a-f]{4})", lambda code: code[1] + code[2].upper(), json.dumps(text)
    ),
    "json in machine readable": lambda text: packer_machine_readable(json.dumps(text)),
    "json in json": lambda text: json.dumps(json.dumps({"secret": text})),
    "json of go": lambda text: (
        json.dumps(text, ensure_ascii=False)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    ),
    "repr": repr,
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "url path": urllib.parse.quote,
    "url form": urllib.parse.quote_plus,
    "url, hex in small letters": lower_hex,
    "shlex": shlex.quote,
    "bash": bash_quoted,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 behind one byte": lambda text: base64.b64encode(b"u" + text.encode() + b"tail").decode(),
    "base64 behind two bytes": lambda text: base64.b64encode(b"u:" + text.encode() + b"tail").decode(),
    "base64 behind three bytes": lambda text: base64.b64encode(b"usr" + text.encode() + b"t").decode(),
    "base64 for urls, behind one byte": lambda text: base64.urlsafe_b64encode(b"u" + text.encode()).decode(),
    "base64 of utf-16": lambda text: base64.b64encode(("x" + text + "y").encode("utf-16-le")).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_in_each_form(secret: str, form: str) -> None:
    shown = FORMS[form](secret)
    line = f"1407119757,,ui,message,    qemu.debian: before {shown} after\n"
    masked = Masker([secret]).text(line)
    assert shown not in masked
    assert "***" in masked
    # No run of it is left over: what is left is what stood around it.
    left = masked.partition("before ")[2].partition(" after")[0]
    assert len(left.replace("***", "")) <= len(FORMS[form]("")) + 2
    assert masked.endswith(" after\n")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("shift", [0, 1, 2, 3, 7])
def test_no_character_of_base64_stays_that_holds_a_bit_of_the_secret(secret: str, shift: int) -> None:
    size = len(secret.encode())
    shown = base64.b64encode(b"#" * shift + secret.encode() + b"##").decode()
    first, end = 8 * shift // 6, -(-8 * (shift + size) // 6)
    before, mask, after = Masker([secret]).text(shown).partition("***")
    assert mask
    assert shown[:first].startswith(before)
    assert shown[end:].endswith(after)


def test_each_long_line_of_a_secret_is_masked_where_it_stands_apart() -> None:
    key = "-----BEGIN KEY-----\nMIIEabcd,efgh\nxyz\n-----END KEY-----\n"
    masked = Masker([key]).text("qemu: MIIEabcd,efgh\nqemu: MIIEabcd%!(PACKER_COMMA)efgh\nqemu: xyz\n")
    # Three characters cannot be told from ordinary text.
    assert masked == "qemu: ***\nqemu: ***\nqemu: xyz\n"


def test_a_long_secret_in_wrapped_base64_is_masked_line_by_line() -> None:
    secret = "".join(chr(33 + 7 * n % 90) for n in range(400))
    wrapped = base64.encodebytes(secret.encode()).decode()
    assert Masker([secret]).text(wrapped).replace("***", "").strip() == ""


def test_a_secret_that_a_diagnostic_breaks_at_a_blank_is_masked() -> None:
    assert Masker(["correct horse battery"]).text("a correct\nhorse battery b") == "a *** b"
    assert Masker(["correct horse battery"]).text("a correct horse\\nbattery b") == "a *** b"


def test_secrets_that_overlap_leave_nothing_between_the_masks() -> None:
    masker = Masker(["hello world", "world peace", "peaceful"])
    assert masker.text("say hello world peaceful!") == "say ***!"


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    assert Masker(["pass", "password123"]).text("password123 pass") == "*** ***"


def test_text_without_a_secret_is_the_same_object() -> None:
    data = b"nothing to see\n" * 10
    assert Masker(["secret"]).chunk(data) is data
    assert Masker([]).chunk(data) is data
    assert Masker(["", "not"]).chunk(data) is data


def test_a_text_that_is_not_unicode_survives() -> None:
    text = b"caf\xe9 secret".decode("utf-8", "surrogateescape")
    assert Masker(["secret"]).text(text).encode("utf-8", "surrogateescape") == b"caf\xe9 ***"


@given(
    secret=st.text(min_size=4, max_size=40).filter(lambda text: len(text.strip()) >= 4),
    form=st.sampled_from([name for name in FORMS if name != "bash"]),
    around=st.text(max_size=30),
)
def test_any_secret_is_masked_in_each_form(secret: str, form: str, around: str) -> None:
    try:
        shown = FORMS[form](secret)
    except UnicodeEncodeError:
        return  # half of a surrogate pair, which this form cannot hold
    core = shown.strip("\"'")
    masked = Masker([secret]).text(f"{around}{shown}{around}")
    assert core not in masked.replace("***", "\0") or core in around


@given(
    secrets=st.lists(st.text("abcXYZ,12", min_size=4, max_size=9), min_size=1, max_size=4),
    texts=st.lists(st.text("abcXYZ,12 ", max_size=12), max_size=12),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_the_mask_does_not_depend_on_how_the_stream_is_cut(
    secrets: list[str], texts: list[str], cuts: list[int]
) -> None:
    parts = []
    for number, text in enumerate(texts):
        parts.append(text + (secrets[number % len(secrets)] if number % 2 else "") + "\n")
    data = "".join(parts).encode()
    whole = Masker(secrets).chunk(data)
    masker = Masker(secrets)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [masker.feed(data[a:b]) for a, b in itertools.pairwise(places)]
    assert b"".join(pieces) + masker.flush() == whole


def test_a_line_without_an_end_is_let_go_and_still_masked() -> None:
    """A line of some megabytes: memory stays bounded, and no secret slips through where it is cut."""
    secret = "s3cret-value"
    unit = b"x" * 997 + secret.encode()
    masker = Masker([secret])
    out = bytearray()
    held = 0
    for _ in range(5000):
        out += masker.feed(unit)
        held = max(held, len(masker._held))
    out += masker.flush()
    assert held < (1 << 20) + 4096
    assert secret.encode() not in out
    assert out == (b"x" * 997 + b"***") * 5000


@pytest.mark.parametrize("shift", range(13))
def test_a_secret_that_lies_across_the_cut_of_a_long_line_is_masked(shift: int) -> None:
    """The cut is somewhere in a line of a megabyte: with each shift at another byte of a secret."""
    masker = Masker(["s3cret-value"])
    data = b"." * shift + b"s3cret-value;" * 100_000
    out = masker.feed(data) + masker.feed(b"the end") + masker.flush()
    assert out == b"." * shift + b"***;" * 100_000 + b"the end"


def test_a_line_of_nothing_but_a_secret_is_let_go_too() -> None:
    masker = Masker(["aaaa"])
    out = bytearray()
    for _ in range(12):
        out += masker.feed(b"a" * 100_000)
        assert len(masker._held) < 2_000_000
    out += masker.flush()
    assert set(out) == {ord("*")}


@pytest.mark.parametrize("value", ["", "a", "abc"])
def test_a_short_value_is_refused_as_a_secret(value: str) -> None:
    fault = check_secret("db_password", value)
    assert fault is not None
    assert "db_password" in fault.message
    assert "at least 4 characters" in fault.hint
    assert not value or f"'{value}'" not in str(fault)


def test_a_value_of_four_characters_is_a_secret() -> None:
    assert check_secret("pin", "1234") is None


@pytest.mark.parametrize("size", range(55, 120))
def test_a_secret_of_any_length_has_no_form_that_is_too_short_to_find(size: int) -> None:
    """The last line of wrapped base64 may be two characters and padding."""
    secret = "".join(chr(33 + 7 * n % 90) for n in range(size))
    text = base64.b64encode(secret.encode()).decode()
    assert Masker([secret]).text(f"gA0 {text}\n{text[:76]}\n") == "gA0 ***\n***\n"
