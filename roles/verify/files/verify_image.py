"""Boot a throw-away overlay of an image and check over SSH that it is what it should be.

The image itself is only read. The key that lets us in is made for this boot, handed in through SMBIOS and
gone afterwards. Whatever ends this program ends the virtual machine too. It prints a line for each step; the
last line says what is wrong, if something is.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# The collection's own core, beside the roles in a checkout and in an installed collection.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from hybridcore.host import accelerator

# What runs in the guest; each part prints under its heading, and `end` tells that nothing was cut off.
GUEST = r"""
part() { echo "== $1"; }
part release; cat /etc/image-release
part running; systemctl is-system-running --wait
part failed; systemctl --failed --plain --no-legend
part passwords; awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow
part keys; find / -xdev -type f \( -path '*/.ssh/*' -o -name 'authorized_keys*' \) | while read -r file; do
  tr -s ' \t' '\n\n' <"$file" | while read -r word; do
    echo "$(printf %s "$word" | sha256sum | cut -d' ' -f1) $file"
  done
done
part private; grep -rlsE -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' /root /home /etc /opt /srv /tmp /var/tmp
part old; find /etc/machine-id /etc/ssh/ssh_host_* ! -newer /etc/image-release
part end
"""


class Failure(Exception):
    """The image could not be checked; the message says why, and what to do."""


class Check(NamedTuple):
    """One thing that was checked: what should be so, and what speaks against it (empty when it is so)."""

    name: str
    problem: str


class Machine(NamedTuple):
    """A running virtual machine."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    def why_it_ended(self) -> str:
        """What QEMU said before it ended."""
        said = (self.folder / "qemu.log").read_text(errors="replace").strip().splitlines()
        return " ".join(said[-3:]) or f"exit code {self.process.returncode}"

    def too_late(self, what: str) -> Failure:
        """Show the last lines of the guest's serial console; the failure to raise."""
        with contextlib.suppress(FileNotFoundError):
            for line in (self.folder / "console.log").read_text(errors="replace").splitlines()[-15:]:
                say(f"console: {line}")
        return Failure(f"{what}; the end of its console is shown above")


def say(step: str) -> None:
    """Print a line now, also where the output is a pipe."""
    print(step, flush=True)


def main() -> int:
    """Check the image that the command line names; exit code 0 when it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, required=True, help="disk image, qcow2 or raw")
    parser.add_argument(
        "--expect", action="append", default=[], metavar="KEY=VALUE", help="line of /etc/image-release"
    )
    parser.add_argument("--firmware", default="/usr/share/ovmf/OVMF.fd")
    parser.add_argument("--memory", type=int, default=1024, help="MiB")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; a free one when 0")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for everything")
    parser.add_argument("--report", type=Path, help="where the result goes, only when all is well")
    options = parser.parse_args()

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # What was ignored from the start, as under nohup, stays so; SIGTERM always ends us.
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda received, __: sys.exit(128 + received))
    begun = time.monotonic()
    try:
        checks = verify(options, deadline=begun + options.timeout)
    except Failure as failure:
        print(f"{options.image}: {failure}", file=sys.stderr)
        return 1
    report = {
        "image": str(options.image),
        "seconds": round(time.monotonic() - begun, 1),
        "checks": [check._asdict() for check in checks],
    }
    problems = [f"{check.name}: {check.problem}" for check in checks if check.problem]
    if problems:
        print(f"{options.image} is not as it should be: " + "; ".join(problems), file=sys.stderr)
        return 1
    if options.report:
        temporary = options.report.with_suffix(".tmp")
        temporary.write_text(json.dumps(report, indent=2) + "\n")
        temporary.rename(options.report)
    return 0


def verify(options: argparse.Namespace, deadline: float) -> list[Check]:
    """Boot, check, power off; the machine and its folder are gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="verify-image-") as name:
        folder = Path(name)
        own, stranger = make_key(folder / "own"), make_key(folder / "stranger")
        with boot(options, folder, own) as machine:
            wait_for_ssh(machine, deadline)
            say("knocking with a key that it does not know")
            refusal = ssh(machine, stranger, "true", deadline)
            say("looking inside")
            answer = ssh(machine, own, GUEST, deadline)
            if answer.returncode:
                raise Failure(
                    "it came up, but the key given for this boot was refused, as it is when the image holds "
                    f"an authorized_keys file of root's own: {last_line(answer.stderr)}"
                )
            checks = judge(parts(answer.stdout), refusal, own, options.expect)
            for check in checks:
                say(f"NO:  {check.name}: {check.problem}" if check.problem else f"yes: {check.name}")
            say("powering off")
            ssh(machine, own, "systemctl poweroff", deadline)
            try:
                machine.process.wait(max(1, deadline - time.monotonic()))
                return [*checks, Check("it powers off", "")]
            except subprocess.TimeoutExpired:
                return [*checks, Check("it powers off", "it was still running when the time was over")]


def judge(
    found: dict[str, list[str]], refusal: subprocess.CompletedProcess[str], own: Path, expect: list[str]
) -> list[Check]:
    """Compare what the guest said with what should be so."""
    release = found["release"]
    lines = dict(line.partition("=")[::2] for line in release)
    # The words of all files with keys, as digests: a key is one of them, wherever in a line it stands.
    words = [tuple(line.split(" ", 1)) for line in found["keys"]]
    ours = {hashlib.sha256(word.encode()).hexdigest() for word in own.with_suffix(".pub").read_text().split()}
    of_root = {word for word, path in words if path.startswith("/root/")}
    host_keys = [path for path in found["private"] if path.startswith("/etc/ssh/ssh_host_")]
    build_key = lines.get("BUILD_KEY_SHA256", "")
    return [
        Check("/etc/image-release says what the state says", differences(expect, lines)),
        Check(
            "every service runs",
            "" if found["running"] == ["running"] else "; ".join([*found["running"], *found["failed"]]),
        ),
        Check("no account has a password", ", ".join(found["passwords"])),
        Check(
            "a stranger is refused, and a password is not asked for",
            ""
            if refusal.returncode == 255 and "Permission denied (publickey)." in refusal.stderr
            else f"exit code {refusal.returncode}: {last_line(refusal.stderr)}",
        ),
        Check(
            "the key of the build is not in the image",
            ", ".join(path for word, path in words if word == build_key)
            if build_key
            else "/etc/image-release does not say which key that was",
        ),
        Check("root has no key but the one of this boot", "" if of_root == ours else "it has others"),
        Check(
            "no private key is left", ", ".join(path for path in found["private"] if path not in host_keys)
        ),
        Check(
            "machine id and host keys are new",
            ", ".join(found["old"]) or ("" if host_keys else "there are no host keys"),
        ),
    ]


def differences(expect: list[str], lines: dict[str, str]) -> str:
    """Which lines of ``/etc/image-release`` are not as expected."""
    wrong = []
    for entry in expect:
        key, __, value = entry.partition("=")
        if lines.get(key) != value:
            wrong.append(f"{key} is {lines.get(key)!r}, not {value!r}")
    return ", ".join(wrong)


def parts(text: str) -> dict[str, list[str]]:
    """What the guest printed, by heading."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif line:
            lines.append(line)
    if "end" not in found:
        raise Failure("the connection ended in the middle of the checks")
    return found


def make_key(path: Path) -> Path:
    """Make an SSH key without a passphrase; the public half lies beside it."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "verify-image", "-f", str(path)])
    return path


def run(argv: list[str]) -> None:
    """Run a program that has to succeed."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Failure(
            f"the program {argv[0]} is missing: install it, or let the role control_node do it"
        ) from None
    if done.returncode:
        raise Failure(f"{argv[0]} failed: {' '.join(done.stderr.split())}")


@contextlib.contextmanager
def boot(options: argparse.Namespace, folder: Path, key: Path) -> Iterator[Machine]:
    """Run an overlay of the image; the machine is gone when the block is left."""
    if not Path(options.firmware).is_file():
        raise Failure(
            f"the firmware {options.firmware} is missing: install the Debian package ovmf, "
            "or set verify_firmware"
        )
    for program in ("qemu-system-x86_64", "setpriv"):
        if shutil.which(program) is None:
            raise Failure(f"the program {program} is missing: install it, or let the role control_node do it")
    if not options.image.is_file():
        raise Failure("there is no such file")
    overlay = folder / "overlay.qcow2"
    run(
        [
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            disk_format(options.image),
            "-b",
            str(options.image.resolve()),
            str(overlay),
        ]
    )
    port = free_port(options.port)
    credential = base64.b64encode(key.with_suffix(".pub").read_bytes()).decode()
    argv = [
        # The kernel kills QEMU when this program is killed in a way that it cannot clean up after.
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"),
        *("-machine", "q35", "-accel", accelerator(), "-cpu", "max", "-smp", "2", "-m", str(options.memory)),
        *("-bios", options.firmware, "-display", "none", "-nodefaults"),
        *("-serial", f"file:{folder}/console.log"),
        *("-drive", f"file={overlay},if=virtio,format=qcow2,cache=unsafe"),
        # restrict: the guest reaches nothing, and nothing reaches it but this forwarded port.
        *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"),
        *("-smbios", f"type=11,value=io.systemd.credential.binary:ssh.authorized_keys.root={credential}"),
    ]
    say(f"booting a throw-away overlay of {options.image.name}")
    with open(folder / "qemu.log", "wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield Machine(process, folder, port)
    finally:
        process.kill()
        process.wait()


def disk_format(image: Path) -> str:
    """The format of a disk image: what its name says, or else what it begins with; else it is raw.

    The beginning of a qcow2 file: https://www.qemu.org/docs/master/interop/qcow2.html
    """
    if image.suffix == ".qcow2":
        return "qcow2"
    with image.open("rb") as file:
        return "qcow2" if file.read(4) == b"QFI\xfb" else "raw"


def free_port(wanted: int) -> int:
    """Check that a port on 127.0.0.1 is free, or find one when 0."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            hint = "end what uses it, or set verify_port to 0 for a free one"
            raise Failure(f"port {wanted} on 127.0.0.1 is taken: {hint}") from None
        port: int = probe.getsockname()[1]
    return port


def wait_for_ssh(machine: Machine, deadline: float) -> None:
    """Wait for the greeting of the guest's SSH server; QEMU takes connections from the start."""
    begun = time.monotonic()
    said = 0.0
    while time.monotonic() < deadline:
        waited = time.monotonic() - begun
        if waited >= said:
            say(f"waiting for SSH, {waited:.0f} s")
            said += 5
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", machine.port), timeout=2) as connection,
        ):
            if connection.recv(4) == b"SSH-":
                return
        # Waits for QEMU's end, not for time to pass.
        with contextlib.suppress(subprocess.TimeoutExpired):
            machine.process.wait(0.5)
            raise Failure(f"QEMU ended at once: {machine.why_it_ended()}")
    raise machine.too_late("it did not come up in time")


def ssh(machine: Machine, key: Path, script: str, deadline: float) -> subprocess.CompletedProcess[str]:
    """Run a script in the guest as root; exit code 255 means that we were not let in."""
    argv = ["ssh", "-F", "none", "-i", str(key), "-p", str(machine.port)]
    for option in (
        *("IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes", "ConnectTimeout=30", "LogLevel=ERROR"),
        *("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"),
    ):
        argv += ["-o", option]
    try:
        return subprocess.run(
            [*argv, "root@127.0.0.1", "sh", "-s"],
            input=script, capture_output=True, text=True, check=False,
            timeout=max(1, deadline - time.monotonic()),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise machine.too_late("it did not answer in time") from None


def last_line(text: str) -> str:
    """The line of an error's text that says most."""
    return (text.strip().splitlines() or ["no message"])[-1]


if __name__ == "__main__":
    sys.exit(main())
