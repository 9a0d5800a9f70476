"""The masker: every form of a secret, at any place, however the stream is cut."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shlex
import subprocess
import textwrap
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcore.process.lines import shorten, strip_ansi_text
from hybridcore.process.mask import Masker, Stream, check_secret

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
    masker = Stream(Masker(secrets))
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [masker.feed(data[a:b]) for a, b in itertools.pairwise(places)]
    assert b"".join(pieces) + masker.flush() == whole


def test_a_line_without_an_end_is_let_go_and_still_masked() -> None:
    """A line of some megabytes: memory stays bounded, and no secret slips through where it is cut."""
    secret = "s3cret-value"
    unit = b"x" * 997 + secret.encode()
    masker = Stream(Masker([secret]))
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
    masker = Stream(Masker(["s3cret-value"]))
    data = b"." * shift + b"s3cret-value;" * 100_000
    out = masker.feed(data) + masker.feed(b"the end") + masker.flush()
    assert out == b"." * shift + b"***;" * 100_000 + b"the end"


def test_a_line_of_nothing_but_a_secret_is_let_go_too() -> None:
    masker = Stream(Masker(["aaaa"]))
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


def run_tool(*argv: str, data: str = "") -> str:
    done = subprocess.run(argv, input=data.encode(), capture_output=True, check=True)
    return done.stdout.decode()


PRINTABLE = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85"
)


def wrapped(text: str, width: int) -> str:
    """A whole text in base64, as coreutils write it."""
    return run_tool("base64", "-w", str(width), data=text)


def unwrapped_bits(masked: str, shown: str) -> list[bool]:
    """Which characters of base64 were masked, by their number."""
    hidden: list[bool] = []
    for got, line in zip(masked.split("\n"), shown.split("\n"), strict=True):
        before, mask, after = got.partition("***")
        assert line.startswith(before)
        assert line.endswith(after)
        assert mask or before == line
        hidden += [not (at < len(before) or at >= len(line) - len(after)) for at in range(len(line))]
    return hidden


@pytest.mark.parametrize("width", [76, 64, 60])
@given(
    secret=st.text(PRINTABLE, min_size=9, max_size=300).filter(lambda text: len(text.split()) == 1),
    before=st.text(PRINTABLE, max_size=80),
    after=st.text(PRINTABLE, min_size=1, max_size=80),
    at_once=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_base64_that_was_wrapped_by_coreutils_shows_nothing(
    width: int, secret: str, before: str, after: str, at_once: bool
) -> None:
    shown = wrapped(before + secret + after, width)
    stream = Stream(Masker([secret]))
    given = [shown] if at_once else shown.splitlines(keepends=True)
    masked = b"".join([*(stream.feed(piece.encode()) for piece in given), stream.flush()]).decode()
    hidden = unwrapped_bits(masked, shown)
    first = 8 * len(before.encode()) // 6
    end = -(-8 * len((before + secret).encode()) // 6)
    # At the end of a line up to three characters stay, and one before them that shares bits with them.
    visible = [at for at in range(first, end) if not hidden[at]]
    assert len(visible) <= 4, (masked, shown)
    if visible:
        assert (visible[-1] + 1) % width == 0


def test_wrapped_base64_behind_packers_prefix_is_masked_line_by_line() -> None:
    secret = "-".join(f"part{number}" for number in range(40))
    shown = wrapped(f"user:{secret}:more", 76)
    stream = Stream(Masker([secret]))
    lines = [stream.text(f"    null.x: {line}") for line in shown.split()]
    assert lines[0] == f"    null.x: {shown[:6]}***"
    assert lines[1:-1] == ["    null.x: ***"] * (len(lines) - 2)
    assert lines[-1].startswith("    null.x: ***")
    assert len(lines[-1]) <= len("    null.x: ***") + 8


def test_a_list_of_the_lines_of_base64_is_masked() -> None:
    """As Ansible shows what a command printed, in `stdout_lines`."""
    secret = "-".join(f"part{number}" for number in range(40))
    lines = wrapped(f"user:{secret}:more", 76).split()
    for shown in (json.dumps(lines), json.dumps(lines, indent=4)):
        masked = Masker([secret]).text(shown)
        assert lines[1] not in masked
        assert masked.count("***") == len(lines)


def test_lines_of_base64_that_are_no_secret_stay() -> None:
    stream = Stream(Masker(["hunter2-password"]))
    data = wrapped("nothing to see here, " * 40, 76).encode()
    assert stream.feed(data) == data
    # Where a line ends with all of the secret, nothing of the next one belongs to it.
    whole = base64.b64encode(b"0123456789ab" * 3 + b"hunter2-password").decode().rstrip("=")
    assert (
        stream.feed(f"{whole}\nbuilder\n    x: builder\n".encode())
        .decode()
        .endswith("***\nbuilder\n    x: builder\n")
    )
    # A line that ends like the start of the secret is masked there, whether it goes on in the next or not.
    half = base64.b64encode(b"0123456789ab" * 3 + b"hunter2-p").decode()[:-1]
    assert stream.feed(f"{half}\nother text\n".encode()).decode() == f"{half[:47]}***\nother text\n"


@given(secret=st.text(st.sampled_from("ab$' \"\\!,.#~\u00e4"), min_size=6, max_size=30).filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_a_secret_that_bash_has_quoted_is_masked(secret: str) -> None:
    if sum(map(len, secret.split())) < 4:
        return
    shown = run_tool(
        "bash", "-c", 'printf "%q\\n" "$1"; printf "%s\\n" "${1@Q}"; set -x; : "$1"', "-", secret
    )
    masked = Masker([secret]).text(shown)
    for line, original in zip(masked.splitlines(), shown.splitlines(), strict=True):
        assert "***" in line, (line, original)
        assert len(line) <= len("***") + 8, (line, original)


@given(
    secret=st.text(PRINTABLE, min_size=8, max_size=40).filter(lambda text: len(text.split()) == 1),
    around=st.text("xyz =:", max_size=20),
    start=st.integers(0, 4),
    size=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_a_secret_that_grep_has_coloured_is_masked(secret: str, around: str, start: int, size: int) -> None:
    found = secret[start : start + size]
    shown = subprocess.run(
        ["grep", "--color=always", "-F", "-e", found],
        input=f"{around}{secret}{around}\n".encode(),
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert "\x1b[" in shown
    masked = Masker([secret]).text(shown)
    assert "***" in masked
    left = strip_ansi_text(masked).replace("***", "")
    assert left.count(secret) == 0
    # What the secret shares with its surroundings may stay; nothing else of it does.
    assert set(left) <= set(around) | {"\n"}


@given(
    secret=st.text(min_size=8, max_size=60).filter(lambda text: len("".join(text.split())) >= 8),
    cuts=st.lists(st.integers(0, 2000), max_size=20),
    indent=st.sampled_from([None, 2]),
)
@settings(max_examples=150, deadline=None)
def test_a_value_of_json_is_masked_however_the_stream_is_cut(
    secret: str, cuts: list[int], indent: int | None
) -> None:
    try:
        shown = json.dumps({"user": "me", "key": secret, "list": [secret, [secret]]}, indent=indent)
        also = json.dumps({"key": secret}, ensure_ascii=False)
        data = f"{shown}\n{also}\nthe end\n".encode()
    except UnicodeEncodeError:
        return  # half of a surrogate pair cannot be printed
    stream = Stream(Masker([secret]))
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [stream.feed(data[a:b]) for a, b in itertools.pairwise(places)]
    masked = (b"".join(pieces) + stream.flush()).decode()
    frame = json.dumps({"user": "me", "key": "***", "list": ["***", ["***"]]}, indent=indent)
    assert masked == f"{frame}\n{json.dumps({'key': '***'})}\nthe end\n"


def test_a_key_within_a_secret_that_is_json_is_one_too() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n"
    account = json.dumps({"type": "service_account", "nested": [{"private_key": key}], "number": 123456789})
    masker = Masker([account])
    assert masker.text(f"key: {key}") == "key: ***\n"
    assert masker.text("MIIEvQIBADANBg\nx\n") == "***\nx\n"
    assert masker.text(base64.b64encode(key.encode()).decode()) == "***"
    assert masker.text("number 123456789") == "number ***"
    assert masker.text(account) == "***"


def test_a_long_secret_of_the_same_words_is_masked_however_it_is_broken() -> None:
    secret = " ".join(["word"] * 3000)
    masker = Masker([secret])
    assert masker.text(f"[{secret}]") == "[***]"
    broken = textwrap.fill(secret, 78, initial_indent="  ", subsequent_indent="    ")
    assert masker.text(f"Error: {broken}\n{broken} end") == "Error:   *** end"
    # One word less is not the secret.
    assert masker.text(secret[5:]) == secret[5:]
    assert Masker([f"first{' ' * 100}second"]).text(f"[first{' ' * 100}second]") == "[***]"


@pytest.mark.parametrize("blanks", ["hunter2 pw ", " hunter2 pw", "hunter2 pw\n", "\thunter2 pw  "])
def test_blanks_around_a_secret_do_not_matter(blanks: str) -> None:
    masker = Masker([blanks])
    assert masker.text(f"[{blanks.strip()}]") == "[***]"
    # Blanks beside it that may be its own are taken along; the end of a line is not.
    assert masker.text(f"is {blanks.strip()}\nnext") in ("is ***\nnext", "is***\nnext")


@given(
    words=st.lists(st.text("abcxyz,.", min_size=1, max_size=9), min_size=2, max_size=12),
    gaps=st.lists(st.sampled_from([" ", "  ", "   "]), min_size=11, max_size=11),
    broken=st.lists(st.sampled_from(["\n", " ", "\n  ", "  ", "\r\n", "\\n"]), min_size=11, max_size=11),
)
def test_a_passphrase_that_is_broken_at_any_blanks_is_masked(
    words: list[str], gaps: list[str], broken: list[str]
) -> None:
    """A diagnostic breaks a long one at several places, and drops all the blanks there."""
    if sum(map(len, words)) < 4:
        return

    def joined(between: list[str]) -> str:
        return "".join(word + gap for word, gap in zip(words, [*between[: len(words) - 1], ""], strict=False))

    assert Masker([joined(gaps)]).text(f"[{joined(broken)}]") == "[***]"


def test_a_line_that_was_cut_does_not_show_the_start_of_a_secret() -> None:
    masker = Masker(["s3cret value of many words"])
    for cut in range(4, 20):
        head = "s3cret value of many words"[:cut]
        assert masker.text(f"xx {head} ... [99 bytes more, see the log]\nmore") == (
            "xx *** ... [99 bytes more, see the log]\nmore"
        )
    assert masker.text("xx s3c ... [99 bytes more, see the log]") == "xx s3c ... [99 bytes more, see the log]"
    # Without a mark that it was cut, it is no secret.
    assert masker.text("xx s3cret value") == "xx s3cret value"
    assert masker.text(shorten("x" * 1950 + "s3cret value of many words" * 9, 2000)).count("s3c") == 0


def test_short_words_with_white_space_are_a_secret_as_they_are_written() -> None:
    masker = Masker(["a  b"])
    assert masker.text("data big; a  b; a b") == "data big; ***; a b"


@pytest.mark.parametrize("word", ["word{number} ", "word ", "abcd\n", "x", "- {{}}\n"])
def test_a_long_secret_of_prose_takes_linear_time_and_memory(word: str) -> None:
    """Nothing is kept for each blank or repetition: what is looked for grows as it does."""

    def size(words: int) -> int:
        search = Masker(["".join(word.format(number=number) for number in range(words))])._search
        return sum(len(b"".join(form.words)) for form in search._forms)

    assert size(4000) < 2.5 * size(2000)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("begin\nit's in\nthe middle", shlex.quote("begin\nit's in\nthe middle")[1:-1]),
        ("tab\n\t\tafter the end", json.dumps("tab\n\t\tafter the end")[1:-1]),
        ("tab\n\t\tafter the end", "tab\n\\t\\tafter the end"),
        ("a colour at its end\x1b[", "a colour at its end"),
    ],
)
def test_what_a_search_with_random_secrets_has_found(secret: str, shown: str) -> None:
    masked = Masker([secret]).text(f"<{shown}>")
    assert set(masked.splitlines()) <= {"<***", "***", "***>", "<***>"}
