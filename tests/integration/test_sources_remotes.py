"""Syncs from real servers on 127.0.0.1: HTTP, TLS, a proxy, SSH, Git's own protocol, bundles and paths."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridcore import sources
from hybridcore.sources import runner
from hybridcore.workspace import open_workspace
from tests.support.git_servers import (
    SSHD,
    SshServer,
    WebServer,
    git_daemon,
    make_certificate,
    ssh_server,
    web_server,
)
from tests.support.remotes import Remote, git
from tests.support.sources import Space

pytestmark = pytest.mark.integration

PASSWORD = "hunter2"  # of nobody


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setattr(runner, "_FIRST_PAUSE_S", 0.01)
    return Space.alone(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    return make_certificate(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture
def web(space: Space) -> Iterator[WebServer]:
    with web_server(WebServer(space.remote.folder.parent)) as server:
        space.settings(url=f"http://127.0.0.1:{server.port}/demo")
        yield server


@pytest.fixture
def tls(space: Space, certificates: tuple[Path, tuple[Path, Path]]) -> Iterator[WebServer]:
    with web_server(WebServer(space.remote.folder.parent), certificates[1]) as server:
        space.settings(url=f"https://127.0.0.1:{server.port}/demo")
        yield server


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    if SSHD is None:
        pytest.skip("there is no sshd: Debian's package openssh-server")
    with ssh_server(tmp_path / "sshd") as server:
        yield server


class Lines:
    """A monitor that keeps what it is shown."""

    wants_lines = True

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, target: str, text: str, kind: str) -> None:
        self.lines.append(f"{target}: {text}")

    def note(self, text: str) -> None:
        self.lines.append(text)

    def tick(self, running: dict[str, float]) -> None:
        """Nothing to keep."""


def everything_below(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


def follow(space: Space) -> None:
    """First a clone, then an update, then nothing."""
    assert [(each.action, each.sha) for each in space.sync()] == [("cloned", space.first)]
    second = space.remote.commit(text="two\n")
    assert [(each.action, each.sha) for each in space.sync()] == [("updated", second)]
    assert [each.action for each in space.sync()] == ["unchanged"]


def test_https_with_a_private_certificate_authority(
    space: Space,
    tls: WebServer,
    certificates: tuple[Path, tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "certificate" in space.error()
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificates[0]))
    follow(space)


@pytest.mark.parametrize("by", ["GIT_ASKPASS", "credential helper"])
def test_credentials_are_asked_of_the_users_own_helpers_and_appear_nowhere(
    space: Space,
    tls: WebServer,
    certificates: tuple[Path, tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    by: str,
) -> None:
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificates[0]))
    tls.users = {"robot": PASSWORD}
    assert "could not read Username" in space.error()
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    script = tmp_path / "helper"
    if by == "GIT_ASKPASS":
        script.write_text(f"#!/bin/sh\ncase $1 in Username*) echo robot ;; *) cat {secret} ;; esac\n")
        monkeypatch.setenv("GIT_ASKPASS", str(script))
    else:
        script.write_text(
            f'#!/bin/sh\n[ $1 = get ] && echo username=robot && echo "password=$(cat {secret})"\n'
        )
        config = tmp_path / "gitconfig"
        config.write_text(f"[credential]\n\thelper = {script}\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    script.chmod(0o755)
    command = [
        sys.executable,
        "-m",
        "hybridcore",
        "--workspace",
        str(space.root),
        "--json",
        "sources",
        "sync",
    ]
    running: list[bytes] = []

    def look() -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has ended
                running.append(process.read_bytes())

    tls.look = look
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert PASSWORD.encode() not in everything_below(space.root)
    assert any(b"git-remote-https" in line or b"remote-https" in line for line in running)
    assert not any(PASSWORD.encode() in line for line in running)
    tls.users = {"robot": "another"}
    space.remote.commit(text="two\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Authentication failed" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert PASSWORD.encode() not in everything_below(space.root)


def test_a_credential_that_the_users_git_puts_into_the_address_is_not_shown(
    space: Space, web: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web.users = {"robot": "another"}
    config = tmp_path / "gitconfig"
    server = f"127.0.0.1:{web.port}/"
    config.write_text(f'[url "http://robot:{PASSWORD}@{server}"]\n\tinsteadOf = http://{server}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    message = space.error()
    assert "Authentication failed" in message
    assert PASSWORD not in message
    web.users = {"robot": PASSWORD}
    follow(space)
    assert PASSWORD.encode() not in everything_below(space.root)


def test_a_proxy_with_a_password(space: Space, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = WebServer(space.remote.folder.parent)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with web_server(proxy):
        monkeypatch.setenv("http_proxy", f"http://robot:{PASSWORD}@127.0.0.1:{proxy.port}")
        follow(space)
        assert all(path.startswith(f"http://127.0.0.1:{web.port}/demo/") for _, path, _ in proxy.seen)
        assert not web.seen
        assert PASSWORD.encode() not in everything_below(space.root)
    message = space.error()
    assert "3 times" in message
    assert PASSWORD not in message


def test_a_redirect_to_another_transport_is_not_followed(space: Space, web: WebServer) -> None:
    web.redirect = f"file://{space.remote.folder}/info/refs"
    assert "cannot clone" in space.error()
    assert not space.clone.exists()


def test_a_server_that_is_away_for_a_moment_is_asked_again(space: Space, web: WebServer) -> None:
    web.failures = 2
    monitor = Lines()
    (result,) = sources.sync(monitor=monitor, workspace=open_workspace(space.root))
    assert result.action == "cloned"
    told = [line for line in monitor.lines if "asking again in" in line]
    assert [line.startswith("demo: cannot clone http://127.0.0.1") for line in told] == [True, True]
    assert "503" in told[0]
    second = space.remote.commit(text="two\n")
    web.failures = 2
    assert [each.sha for each in space.sync()] == [second]


def test_a_server_that_stays_away_is_given_up(space: Space, web: WebServer) -> None:
    web.failures = 99
    assert "returned error: 503, 3 times" in space.error()
    assert 99 - web.failures == 3
    web.failures = 99
    space.settings(url=f"http://127.0.0.1:{web.port}/demo", more="retries = 0\n")
    assert "times" not in space.error()
    assert 99 - web.failures == 1


def test_what_will_not_pass_is_not_asked_again(space: Space, web: WebServer) -> None:
    space.settings(url=f"http://127.0.0.1:{web.port}/nothing")
    assert "not found" in space.error()
    assert len(web.seen) == 1


def test_what_is_fetched_is_shown(space: Space, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_TELL_EVERY_S", 0.0)
    monitor = Lines()
    sources.sync(monitor=monitor, workspace=open_workspace(space.root))
    assert any(line.startswith("demo: ") and "objects" in line for line in monitor.lines)
    assert all(line.isprintable() for line in monitor.lines)
    monitor.lines.clear()
    monkeypatch.undo()
    sources.sync(monitor=monitor, workspace=open_workspace(space.root))
    assert monitor.lines == []


@pytest.mark.parametrize("what", ["download", "files"])
def test_what_is_too_large_is_refused(space: Space, web: WebServer, what: str) -> None:
    """A download by the bytes that come, the files by the bytes that they will have."""
    (space.remote.folder / "large").write_bytes(
        os.urandom(1_500_000) if what == "download" else bytes(3_000_000)
    )
    large = space.remote.commit()
    limit = "max_mb = 1\n"
    space.settings(url=f"http://127.0.0.1:{web.port}/demo", more=limit)
    message = space.error()
    assert ("it has more than 1 MB" if what == "download" else "3.0 MB, more than 1") in message
    assert not space.clone.exists()
    git(space.remote.folder, "reset", "--quiet", "--hard", "HEAD^")
    space.sync()
    git(space.remote.folder, "reset", "--quiet", "--hard", large)
    assert "max_mb of the source allows more" in space.error()
    assert space.head() == space.first
    space.settings(url=f"http://127.0.0.1:{web.port}/demo", more="max_mb = 4\n")
    assert [each.sha for each in space.sync()] == [large]


def test_ssh_with_a_key_and_known_hosts(
    space: Space, ssh: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.settings(url=f"{ssh.url}{space.remote.folder}", more="retries = 0\n")
    command = f"ssh -F /dev/null -o BatchMode=yes -o UserKnownHostsFile={ssh.known_hosts} -i "
    monkeypatch.setenv("GIT_SSH_COMMAND", command + "/nowhere")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert "Permission denied" in space.error()
    monkeypatch.setenv("GIT_SSH_COMMAND", command + str(ssh.key))
    follow(space)
    before = ssh.known_hosts.read_text()
    other = ssh.key.with_suffix(".pub").read_text()
    ssh.known_hosts.write_text(before.replace(ssh.host_key.split()[1], other.split()[1]))
    space.remote.commit(text="three\n")
    assert "Host key verification failed" in space.error()
    ssh.known_hosts.write_text("")
    assert "Host key verification failed" in space.error()


def test_ssh_with_an_agent(space: Space, ssh: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = ssh.key.with_name("agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL) as running:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
            command = f"ssh -F /dev/null -o UserKnownHostsFile={ssh.known_hosts} -i /nowhere"
            monkeypatch.setenv("GIT_SSH_COMMAND", command)
            space.settings(url=f"{ssh.url}{space.remote.folder}")
            while subprocess.run(["ssh-add", "-l"], capture_output=True, check=False).returncode == 2:
                assert running.poll() is None
            assert "Permission denied" in space.error()
            subprocess.run(["ssh-add", str(ssh.key)], check=True, capture_output=True)
            follow(space)
        finally:
            running.terminate()


def test_the_git_protocol(space: Space) -> None:
    with git_daemon(space.remote.folder.parent) as port:
        space.settings(url=f"git://127.0.0.1:{port}/demo")
        follow(space)
        space.settings(url=f"git://127.0.0.1:{port}/nothing")
        space.clone.rename(space.clone.with_name("away"))
        assert "access denied or repository not exported" in space.error()


@pytest.mark.parametrize("kind", ["path", "bundle", "path with blanks"])
def test_paths_and_bundles(space: Space, tmp_path: Path, kind: str) -> None:
    if kind == "bundle":
        bundle = tmp_path / "demo.bundle"

        def publish() -> None:
            git(space.remote.folder, "bundle", "create", "--quiet", str(bundle), "HEAD", "main")

        publish()
        space.settings(url=str(bundle), ref="main")
        assert [each.action for each in space.sync()] == ["cloned"]
        second = space.remote.commit(text="two\n")
        publish()
        assert [(each.action, each.sha) for each in space.sync()] == [("updated", second)]
        return
    if kind == "path with blanks":
        space.remote = Remote(tmp_path / "my remotes" / "it's demo")
        space.first = space.remote.commit(text="one\n")
    space.settings(url=str(space.remote.folder))
    follow(space)
