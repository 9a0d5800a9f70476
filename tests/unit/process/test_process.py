"""The one door to other programs: what passes to them, how they end, and what is said when they do not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybridcore import process
from hybridcore.errors import ProcessError

PYTHON = sys.executable


def test_the_environment_is_built_from_the_table() -> None:
    passed = {
        "PATH": "/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/ca",
        "SSH_AUTH_SOCK": "/agent",
        "PACKER_LOG": "1",
        "PKR_VAR_password": "x",
        "AWS_PROFILE": "a",
        "ARM_CLIENT_ID": "b",
        "PROXMOX_URL": "c",
        "VSPHERE_SERVER": "d",
        "KUBECONFIG": "/supervisor",
        "MSI_ENDPOINT": "http://identity",
        "GOOGLE_APPLICATION_CREDENTIALS": "e",
    }
    stopped = {
        "LD_PRELOAD": "x",
        "PYTHONPATH": "x",
        "DATABASE_URL": "x",
        "HYBRIDCORE_RUN": "x",
        "ANSIBLE_X": "1",
    }
    built = process.child_environment({"EXTRA": "1", "HOME": "/new"}, base={**passed, **stopped})
    assert built == {**passed, "EXTRA": "1", "HOME": "/new", "CHECKPOINT_DISABLE": "1", "GOGC": "200"}


def test_how_go_collects_garbage_can_be_said() -> None:
    assert process.child_environment(base={"GOGC": "50"})["GOGC"] == "50"
    assert process.child_environment({"GOGC": "off"}, base={"GOGC": "50"})["GOGC"] == "off"


def test_secrets_of_the_environment() -> None:
    found = process.environment_secrets(
        {
            "AWS_SECRET_ACCESS_KEY": "key-of-aws",
            "VSPHERE_PASSWORD": "pass",
            "PROXMOX_TOKEN": "abc",  # too short to be masked
            "AWS_PROFILE": "no secret",
            "https_proxy": "http://user:proxypass@proxy:3128/path@x",
            "HTTP_PROXY": "http://nobody@proxy",
            "ALL_PROXY": "socks5://user:p@ss:word@proxy",
            "ftp_proxy": "http://proxy:3128/a:b@c",
        }
    )
    assert sorted(found) == ["key-of-aws", "p@ss:word", "pass", "proxypass"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("user:secret@proxy:3128", ["secret"]),
        ("http://user:p%40ss@proxy", ["p%40ss", "p@ss"]),
        ("user:%70%61ss%zz@proxy", ["%70%61ss%zz", "pass%zz"]),
        ("http://user:%ff%fe%fd%fc@proxy", ["%ff%fe%fd%fc", "\udcff\udcfe\udcfd\udcfc"]),
        ("proxy:3128", []),
        ("http://proxy:3128", []),
    ],
)
def test_the_password_of_a_proxy_in_each_way_to_write_it(url: str, found: list[str]) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        assert sorted(process.environment_secrets({name: url})) == found
        assert {name for name, _ in process.named_secrets({name: url})} == ({name} if found else set())


def test_the_table_that_people_read_is_the_one_that_holds(repository: Path) -> None:
    text = (repository / "docs" / "secrets.md").read_text(encoding="utf-8")
    section = text.partition("\n## What passes from your environment\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| ")]
    names = {name for line in table for name in re.findall(r"`([^`]+)`", line)}
    assert {name for name in names if not name.endswith("*")} == process.PASSED_NAMES
    assert {name.removesuffix("*") for name in names if name.endswith("*")} == set(process.PASSED_PREFIXES)
    masked = section.partition("are secrets and are masked:")[2].partition("and a password")[0]
    assert set(re.findall(r"`([^`]+)`", masked)) == process.SECRET_NAMES


def test_every_secret_name_passes() -> None:
    every = dict.fromkeys(process.SECRET_NAMES, "secret")
    assert set(process.child_environment(base=every)) >= process.SECRET_NAMES


def test_a_program_gets_its_arguments_as_they_are_and_no_input() -> None:
    code = (
        "import sys; print(sys.argv[1:], repr(sys.stdin.read())); print('no', file=sys.stderr); sys.exit(7)"
    )
    done = process.run([PYTHON, "-c", code, "a b", "$HOME;", "*"])
    assert (done.stdout, done.stderr, done.returncode) == ("['a b', '$HOME;', '*'] ''\n", "no\n", 7)
    assert done.argv == (PYTHON, "-c", code, "a b", "$HOME;", "*")


def test_output_that_is_not_utf8() -> None:
    done = process.run([PYTHON, "-c", r"import sys; sys.stdout.buffer.write(b'\xff ok')"])
    assert done.stdout == "\ufffd ok"


def test_a_signal_is_a_negative_exit_code() -> None:
    done = process.run([PYTHON, "-c", "import os; os.kill(os.getpid(), 9)"])
    assert done.returncode == -signal.SIGKILL


def test_what_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen(['sleep', '300'])\nopen({str(file)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(300)"
    )
    # Long enough for it to start its child on a busy machine; the wait is over as soon as that is done.
    with pytest.raises(ProcessError, match="did not end within 3 s"):
        process.run([PYTHON, "-c", code], timeout=3)
    pid = int(file.read_text())
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < end, "the grandchild lives on"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("no-such-program", "not found"), ("folder", "cannot"), ("text", "cannot")],
)
def test_what_cannot_be_started(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no program")
    program = name if name == "no-such-program" else str(tmp_path / name)
    with pytest.raises(ProcessError) as caught:
        process.run([program])
    assert expected in str(caught.value)
    assert name in str(caught.value)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ProcessError) as caught:
        process.run([PYTHON, "-c", ""], cwd=tmp_path / "none")
    assert str(tmp_path / "none") in str(caught.value)


def test_the_environment_of_a_run_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOT_IN_THE_TABLE", "1")
    done = process.run([PYTHON, "-c", "import os; print('NOT_IN_THE_TABLE' in os.environ)"])
    assert done.stdout == "False\n"
    assert "NOT_IN_THE_TABLE" in os.environ


def test_an_interrupt_when_the_program_has_just_ended_is_still_an_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ended_and_interrupted(child: subprocess.Popen[bytes], **_: object) -> None:
        child.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", ended_and_interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.run(["true"])
