"""From the pipe to the log and to the watcher: in order, at once, bounded."""

from __future__ import annotations

from hybridcore.packer.stream.outcome import Outcome
from hybridcore.packer.stream.pump import Pump
from hybridcore.process.mask import Masker


class Seen:
    """A pump with everything that comes out of it."""

    def __init__(self, *secrets: str) -> None:
        self.log = bytearray()
        self.lines: list[tuple[str, str]] = []
        self.outcome = Outcome()
        self.pump = Pump(
            Masker(secrets),
            log=self.log.extend,
            outcome=self.outcome,
            line=lambda text, kind: self.lines.append((kind, text)),
        )


def test_each_line_is_shown_and_logged_as_soon_as_it_is_complete():
    seen = Seen()
    seen.pump.feed(b"1407119757,,ui,say,==> qemu.a: one\n1407119757,,ui,mess")
    assert seen.lines == [("say", "==> qemu.a: one")]
    assert seen.log == b"==> qemu.a: one\n"
    seen.pump.feed(b"age,    qemu.a: two\n")
    assert seen.lines[1:] == [("message", "    qemu.a: two")]
    assert seen.log == b"==> qemu.a: one\n    qemu.a: two\n"


def test_the_kinds_of_lines():
    seen = Seen()
    seen.pump.feed(
        b"1407119757,,ui,error,broken\n"
        b"2026/11/22 05:25:08 a log line\n"
        b"1407119757,file.a,artifact,0,id,File\n"
        b"1407119757,,ui,say,\\n==> Builds finished. The artifacts are:\n"
        b"1407119757,,ui,message,10%\\r20%\\r30%\n"
    )
    assert seen.lines == [
        ("error", "broken"),
        ("other", "2026/11/22 05:25:08 a log line"),
        ("say", "==> Builds finished. The artifacts are:"),
        ("message", "10%"),
        ("message", "20%"),
        ("message", "30%"),
    ]
    assert b"1407119757,file.a,artifact,0,id,File\n" in seen.log


def test_a_last_line_without_an_end_is_not_lost():
    seen = Seen("secret")
    seen.pump.feed(b"the sec")
    seen.pump.feed(b"ret")
    assert seen.lines == []
    seen.pump.close()
    assert seen.lines == [("other", "the ***")]
    assert seen.log == b"the ***"


def test_colours_are_kept_for_the_watcher_and_stripped_in_the_log():
    seen = Seen()
    seen.pump.feed(b"1407119757,,ui,message,    qemu.a: \x1b[31mred\x1b[0m\n")
    assert seen.lines == [("message", "    qemu.a: \x1b[31mred\x1b[0m")]
    assert seen.log == b"    qemu.a: red\n"


def test_output_that_is_not_utf8():
    seen = Seen("secret")
    seen.pump.feed(b"1407119757,,ui,message,\xff\xfe caf\xe9 secret\n")
    assert seen.lines == [("message", "\ufffd\ufffd caf\ufffd ***")]
    assert seen.log == b"\xff\xfe caf\xe9 ***\n"


def test_a_line_of_10_mb_is_shown_in_part_and_logged_whole():
    seen = Seen("secret")
    start, unit = b"1407119757,,ui,message,    qemu.a: ", b"x" * 9_994 + b"secret"
    seen.pump.feed(start)
    for _ in range(1000):
        seen.pump.feed(unit)
    seen.pump.feed(b"\n1407119757,,ui,say,next\n")
    seen.pump.close()
    assert len(seen.log) == len(b"    qemu.a: ") + 1000 * 9_997 + len(b"\nnext\n")
    assert b"secret" not in seen.log
    (kind, shown), after = seen.lines
    assert kind == "message"
    assert len(shown) < 70_000
    assert shown.startswith("    qemu.a: xxx")
    assert shown.endswith("bytes more, see the log]")
    assert after == ("say", "next")


def test_the_outcome_is_known_without_a_watcher_too():
    outcome = Outcome()
    pump = Pump(Masker([]), log=lambda _: None, outcome=outcome)
    pump.feed(b"1407119757,,ui,message,    null.x: noise\n" * 100)
    pump.feed(b"1407119757,,ui,error,Build 'null.x' errored after 1 second: it broke\n")
    pump.close()
    (failure,) = outcome.failures(1)
    assert failure.message == "it broke"
    assert failure.last_lines == ("    null.x: noise",) * 20


def test_what_is_known_of_artifacts_does_not_depend_on_the_secrets():
    """A secret may be a name, a word of the protocol, or the start of its times."""
    stream = (
        b"1407119757,,ui,say,==> file.debian: Starting\n"
        b"1407119757,file.debian,artifact-count,1\n"
        b"1407119757,file.debian,artifact,0,builder-id,packer.file\n"
        b"1407119757,file.debian,artifact,0,id,File\n"
        b"1407119757,file.debian,artifact,0,files-count,1\n"
        b"1407119757,file.debian,artifact,0,file,0,debian-12.img\n"
        b"1407119757,file.debian,artifact,0,end\n"
        b"1407119757,,ui,error,Build 'file.debian' errored: debian broke\n"
        b"1407119757,,error-count,1\n"
    )
    seen = Seen("debian", "packer", "file", "artifact", "1407", "files-count", "errored", "error-count")
    seen.pump.feed(stream)
    seen.pump.close()
    (artifact,) = seen.outcome.artifacts
    assert (artifact.build, artifact.builder_id, artifact.id) == ("file.debian", "packer.file", "File")
    assert artifact.files == ("debian-12.img",)
    assert seen.outcome.missing() == ()
    assert (seen.outcome.errored, seen.outcome.error_count) == ({"file.debian"}, 1)
    assert seen.lines[0] == ("say", "==> ***.***: Starting")
    assert not any(word in seen.log for word in (b"debian", b"file", b"1407"))
    (failure,) = seen.outcome.failures(1)
    assert failure.message == "debian broke"
    assert "debian" not in failure.text(Masker(["debian"]).text)


def test_a_secret_that_packer_writes_otherwise_than_it_is_read_is_masked():
    """`\\n` of a secret is a line's end in what people read, and a comma is one again."""
    seen = Seen("one\\ntwo,three")
    seen.pump.feed(b"1407119757,,ui,message,    null.x: is one\\ntwo%!(PACKER_COMMA)three.\n")
    assert seen.log == b"    null.x: is ***.\n"
    assert seen.lines == [("message", "    null.x: is ***.")]


def test_a_secret_that_the_limit_of_a_line_cuts_is_masked():
    secret = "s3cret value of many words"
    seen = Seen(secret)
    for start in range(65_480, 65_536):
        seen.pump.feed(b"1407119757,,ui,message,%s%s\n" % (b"x" * start, secret.encode() * 3))
    seen.pump.feed(b"1407119757,,ui,error,%s%s\n" % (b"y" * 1950, secret.encode() * 3))
    seen.pump.close()
    shown = "\n".join(text for _, text in seen.lines)
    quoted = seen.outcome.failures(1)[0].text(Masker([secret]).text)
    for text in (shown, quoted, seen.log.decode()):
        assert "s3cr" not in text
        assert "value" not in text


def test_the_end_of_a_long_line_cuts_neither_a_colour_nor_a_comma():
    """A line without an end is let go in pieces: each is read as the whole would be."""
    unit = b"ab%!(PACKER_COMMA)cd\x1b[31mred\x1b[0m"
    for shift in range(len(unit)):
        seen = Seen("secret")
        seen.pump.feed(b"1407119757,,ui,say," + b"." * shift)
        seen.pump.feed(unit * 40_000)
        seen.pump.feed(b"\n")
        assert seen.log == b"." * shift + b"ab,cdred" * 40_000 + b"\n"
