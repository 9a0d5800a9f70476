"""1 GB of a builder's output with 20 secrets, through the pump into a log file, against ``tee``.

Secrets appear in several forms, in about one line of a thousand. The pump runs in a process of its own, whose
peak of memory is compared with that for a sixteenth of the output.

A secret may also be long, as cloud-config is. How long its first line waits must grow as its length does.
"""

from __future__ import annotations

import base64
import json
import os
import random
import resource
import select
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000
READ = 65536


def secrets() -> list[str]:
    """20 secrets as people have them: passwords, tokens, a sentence."""
    rolls = random.Random(5)
    letters = string.ascii_letters + string.digits
    found = ["".join(rolls.choices(letters + "!,$/+=&%\"'", k=rolls.randint(8, 24))) for _ in range(12)]
    found += ["".join(rolls.choices(letters, k=40)) for _ in range(7)]
    return [*found, "correct horse, battery staple"]


def prose(size: int) -> str:
    """A secret of lines of words."""
    rolls = random.Random(7)
    words = ["".join(rolls.choices(string.ascii_lowercase, k=rolls.randint(2, 9))) for _ in range(3000)]
    text = ""
    while len(text) < size:
        text += " ".join(rolls.choices(words, k=12)) + "\n"
    return text[:size]


def first_line(secret: str) -> tuple[float, float]:
    """Seconds until the first line is masked, and MB/s of the lines after it, with a secret."""
    from hybridcore.process.mask import Masker, Stream

    data = block()
    started = time.perf_counter()
    stream = Stream(Masker([secret]))
    stream.feed(b"a line\n")
    waited = time.perf_counter() - started
    for at in range(0, len(data), READ):
        stream.feed(data[at : at + READ])
    seconds = time.perf_counter() - started - waited
    if stream.feed(f"x {secret} x\n".encode()) != b"x *** x\n":
        raise SystemExit("a long secret came through")
    return waited, len(data) / MB / seconds


def block() -> bytes:
    """4 MB of output as it comes from an installation of packages."""
    rolls = random.Random(6)
    hidden = secrets()
    lines: list[str] = []
    size = 0
    while size < 4 * MB:
        number = len(lines)
        if number % 1000 == 17:
            secret = rolls.choice(hidden)
            shown = rolls.choice(
                [secret, json.dumps(secret), base64.b64encode(b"u:" + secret.encode()).decode()]
            )
            text = f"    qemu.debian-12: login with {shown}"
        elif number % 40 == 3:
            text = f"==> qemu.debian-12: Step {number}..."
        else:
            name = "".join(rolls.choices(string.ascii_lowercase, k=rolls.randint(4, 20)))
            text = (
                f"    qemu.debian-12: Get:{number} http://deb.debian.org/debian bookworm/main amd64 {name} "
                f"amd64 {rolls.randint(1, 9)}.{rolls.randint(0, 99)}-{rolls.randint(1, 9)}+deb12u1 "
                f"[{rolls.randint(1, 999)},{rolls.randint(100, 999)} B]"
            )
        kind = "say" if text.startswith("==>") else "message"
        lines.append(f"1795427473,,ui,{kind},{text.replace(',', '%!(PACKER_COMMA)')}\n")
        size += len(lines[-1])
    return "".join(lines).encode()


def produce(megabytes: int) -> None:
    """Write the output to standard output, as fast as it is taken."""
    data = block()
    for _ in range(megabytes * MB // len(data)):
        sys.stdout.buffer.write(data)


def pump(log: str, watched: str) -> None:
    """Take standard input, as the runner takes Packer's pipe; print the peak of memory in kB."""
    sys.path.insert(0, str(ROOT))
    from hybridcore.packer.stream.outcome import Outcome
    from hybridcore.packer.stream.pump import Pump
    from hybridcore.process.mask import Masker

    with open(log, "wb", buffering=0) as file:
        line = (lambda text, kind: None) if watched == "watched" else None
        through = Pump(Masker(secrets()), log=file.write, outcome=Outcome(), line=line)
        while data := os.read(0, READ):
            through.feed(data)
        through.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def measure(megabytes: int, *reader: str) -> tuple[float, str]:
    """Seconds from the first byte to the end, and what the reader said."""
    writer = subprocess.Popen(
        [sys.executable, __file__, "produce", str(megabytes)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert writer.stdout is not None
    # The producer has made its block, and the pipe is full, before the clock starts.
    select.select([writer.stdout], [], [])
    started = time.perf_counter()
    done = subprocess.run(reader, stdin=writer.stdout, capture_output=True, check=True, text=True)
    seconds = time.perf_counter() - started
    writer.stdout.close()
    if writer.wait():
        raise SystemExit("the producer failed")
    return seconds, done.stdout


def emit(row: str, ours: object, theirs: object, ratio: float, budget: str) -> None:
    """Print a row whose ratio is not ours by theirs."""
    print(
        json.dumps({"row": row, "ours": ours, "theirs": theirs, "ratio": ratio, "budget": budget}), flush=True
    )


def main() -> None:
    """Measure, and check that no secret came through."""
    megabytes = int(os.environ.get("BENCH_PUMP_MB", "1000"))
    with tempfile.TemporaryDirectory(prefix="bench-pump-") as folder:
        log, copy = f"{folder}/log", f"{folder}/copy"
        own = [sys.executable, __file__, "pump", log]
        theirs, _ = measure(megabytes, "sh", "-c", f"exec tee {copy} >/dev/null")
        os.unlink(copy)
        _, small = measure(megabytes // 16, *own, "alone")
        ours, large = measure(megabytes, *own, "alone")
        with open(log, "rb") as file:
            start = file.read(8 * MB)
        os.unlink(log)
        if any(secret.encode() in start for secret in secrets()) or b"***" not in start:
            raise SystemExit("a secret came through")
        watched, _ = measure(megabytes, *own, "watched")
    size = f"{megabytes / 1000:g} GB"
    emit(f"{size} of output, 20 secrets: MB/s", ours, theirs, megabytes / ours, ">= 50 MB/s (theirs: tee)")
    emit(
        f"{size}, each line shown too: MB/s", watched, theirs, megabytes / watched, "no budget (theirs: tee)"
    )
    kilobytes = int(large) / int(small)
    emit(
        f"peak of memory, {size} / {size} : 16",
        f"{int(large) // 1024} MiB",
        f"{int(small) // 1024} MiB",
        kilobytes,
        "<= 1.1",
    )
    sys.path.insert(0, str(ROOT))
    (long, speed), (short, small) = (
        min(first_line(prose(size)) for _ in range(3)) for size in (64 << 10, 16 << 10)
    )
    emit("first line, a secret of 64 KiB of prose / 16 KiB", long, short, long / short, "<= 4.5")
    emit("the same secret: MB/s", f"{speed:.0f} MB/s", f"{small:.0f} MB/s", speed, ">= 10 MB/s")
    words = "word " * 13_000
    again, speed = min(first_line(words) for _ in range(3))
    emit("first line, a secret of 64 KiB of one word / of prose", again, long, again / long, "<= 1")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        {"produce": lambda: produce(int(sys.argv[2])), "pump": lambda: pump(*sys.argv[2:])}[sys.argv[1]]()
    else:
        main()
