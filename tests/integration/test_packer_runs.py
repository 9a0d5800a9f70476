"""Real runs of both versions, through the command, the masker, the pump, the outcome and the manifest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybridcore.packer.options import BuildOptions, OnError
from hybridcore.packer.program.capabilities import Capabilities, probe
from hybridcore.packer.program.commands import build_command
from hybridcore.packer.stream.manifest import discrepancies, of_artifacts, of_run, parse
from hybridcore.packer.stream.outcome import Outcome
from hybridcore.packer.stream.pump import Pump
from hybridcore.process.mask import Masker

pytestmark = pytest.mark.integration

FILES = """\
source "file" "one" {
  content = "one"
  target  = "one, with comma.txt"
}

source "file" "two" {
  content = "two"
  target  = "two.txt"
}

build {
  sources = ["source.file.one", "source.file.two"]

  post-processor "manifest" {
    output = "manifest.json"
  }
}
"""
SECRET = "p\"a's,s\\w/o<r>d&+ä two"
MULTI = '-----BEGIN KEY-----\nMIIE,abcd"x\nfinal part\n-----END KEY-----\n'
# Says the secret in every way that a provisioner may.
TELL = """\
import base64, json, os, shlex, sys, urllib.parse
for name in ("PKR_VAR_password", "PKR_VAR_key"):
    value = os.environ[name]
    data = value.encode()
    print(value)
    print("json", json.dumps({"v": value}), json.dumps(json.dumps(value)))
    print("json", json.dumps(value, ensure_ascii=False))
    print("url", urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value))
    for shift in range(3):
        print("base64", base64.b64encode(b"x" * shift + data).decode())
    print(base64.encodebytes(data).decode())
    print("shell", shlex.quote(value), repr(value))
    print("long", "y" * 70000 + value.replace("\\n", " ") + "z" * 70000)
    print("no end", value, end="", flush=True)
    print(file=sys.stderr)
"""
TELLING = """\
variable "password" {
  type      = string
  sensitive = true
}

variable "key" {
  type      = string
  sensitive = true
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "shell-local" {
    inline = ["PYTHON -X utf8 tell.py"]
  }

  provisioner "shell-local" {
    inline = ["cat <<'EOT'", var.password, "EOT", "exit 7"]
  }
}
"""


class Run:
    """One run of Packer, and everything that came out of the pump."""

    def __init__(
        self, capabilities: Capabilities, folder: Path, options: BuildOptions, secrets: dict[str, str]
    ) -> None:
        self.outcome = Outcome()
        self.log = bytearray()
        self.shown: list[tuple[str, str]] = []
        self.masker = Masker(secrets.values())
        pump = Pump(
            self.masker,
            log=self.log.extend,
            outcome=self.outcome,
            line=lambda text, kind: self.shown.append((kind, text)),
        )
        env = {**os.environ, **{f"PKR_VAR_{name}": value for name, value in secrets.items()}}
        with subprocess.Popen(
            build_command(capabilities, options),
            cwd=folder,
            env={**env, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as child:
            assert child.stdout is not None
            while data := os.read(child.stdout.fileno(), 4096):
                pump.feed(data)
        pump.close()
        self.exit_code = child.returncode

    @property
    def everything(self) -> str:
        """All that anybody could see of it."""
        failures = "\n".join(one.text(self.masker.text) for one in self.outcome.failures(self.exit_code))
        shown = "\n".join(text for _, text in self.shown)
        return f"{self.log.decode('utf-8', 'replace')}\n{shown}\n{failures}"


@pytest.fixture
def run(any_packer, tmp_path):
    capabilities = probe(str(any_packer))

    def start(template: str, options: BuildOptions | None = None, **secrets: str) -> Run:
        (tmp_path / "build.pkr.hcl").write_text(template, encoding="utf-8")
        return Run(capabilities, tmp_path, options or BuildOptions(), secrets)

    return start


def test_artifacts_of_the_stream_and_of_the_manifest_agree(run, tmp_path):
    done = run(FILES)
    assert done.exit_code == 0
    assert done.outcome.failures(0) == ()
    assert done.outcome.missing() == ()
    assert done.outcome.finished == {"file.one", "file.two"}
    manifest = parse((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert discrepancies(done.outcome.artifacts, of_run(manifest)) == ()
    sizes = {"one, with comma.txt": 3, "two.txt": 3}
    ours = of_artifacts(done.outcome.artifacts, sizes, run_uuid="mine", build_time=1)
    assert {(build.name, build.artifact_id, build.files) for build in ours.builds} == {
        (build.name, build.artifact_id, build.files) for build in of_run(manifest)
    }


def test_a_manifest_of_another_run_is_not_ours(run, tmp_path):
    run(FILES)
    done = run(FILES, BuildOptions(only=("file.two",)))
    assert done.exit_code == 0
    manifest = parse((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest.builds) == 3
    assert [build.name for build in of_run(manifest)] == ["two"]
    assert discrepancies(done.outcome.artifacts, of_run(manifest)) == ()


def test_every_option_is_taken(run):
    options = BuildOptions(only=("file.*",), except_=("manifest",), force=True, on_error=OnError.ABORT)
    done = run(FILES, options)
    assert done.exit_code == 0, done.everything
    assert len(done.outcome.artifacts) == 2


def test_no_form_of_a_secret_comes_through(run, tmp_path):
    (tmp_path / "tell.py").write_text(TELL, encoding="utf-8")
    done = run(TELLING.replace("PYTHON", sys.executable), password=SECRET, key=MULTI)
    assert done.exit_code == 1
    everything = done.everything
    assert everything.count("***") > 40
    # Each run of the secrets that no encoding changes, and their base64.
    for piece in (
        "BEGIN",
        "MIIE",
        "final part",
        "END KEY",
        "two\n",
        "tLS0tLUJFR0lOIEtFWS",
        "TUlJRSxh",
        "cCJhJ3Ms",
    ):
        assert piece not in everything, piece
    (failure,) = done.outcome.failures(1)
    assert failure.message.startswith("Script exited with non-zero exit status: 7")
    assert failure.step.startswith("Running local shell script")
    assert failure.last_lines


def test_lines_come_while_packer_runs(any_packer, tmp_path):
    """The second line waits for what only the watcher of the first one makes."""
    (tmp_path / "build.pkr.hcl").write_text(
        'source "null" "demo" {\n  communicator = "none"\n}\n\nbuild {\n  sources = ["source.null.demo"]\n\n'
        '  provisioner "shell-local" {\n'
        '    inline = ["echo first", "until [ -e seen ]; do sleep 0.05; done", "echo second"]\n  }\n}\n'
    )
    outcome = Outcome()
    shown: list[str] = []

    def line(text: str, kind: str) -> None:
        shown.append(text)
        if text.endswith("first"):
            (tmp_path / "seen").touch()

    pump = Pump(Masker(["secret"]), log=lambda data: None, outcome=outcome, line=line)
    with subprocess.Popen(
        build_command(probe(str(any_packer)), BuildOptions()),
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        while data := os.read(child.stdout.fileno(), 65536):
            pump.feed(data)
    pump.close()
    texts = [text.strip() for text in shown]
    assert texts.index("null.demo: first") < texts.index("null.demo: second")
    assert outcome.failures(child.returncode) == ()
