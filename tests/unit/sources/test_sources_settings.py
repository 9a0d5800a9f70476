"""What is refused before git runs at all, and the pure functions of the module."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hybridcore import sources
from hybridcore.errors import HybridError, SourcesError
from hybridcore.source_settings import SOURCE_OPTIONS
from hybridcore.sources import addresses, clone_config, contents, git, runner, shape
from hybridcore.workspace import open_workspace

A, B = "a" * 40, "b" * 40


def workspace(tmp_path: Path, text: str):
    (tmp_path / "packer-hybrid.toml").write_text(text, encoding="utf-8")
    return open_workspace(tmp_path)


def sync_error(tmp_path: Path, text: str) -> SourcesError:
    with pytest.raises(SourcesError) as caught:
        sources.sync(workspace=workspace(tmp_path, text))
    assert not (tmp_path / "sources").exists()
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/owned",
        "ext::sh -c 'touch /tmp/owned'",
        "relative/path",
        "https://example.org/a b",
        "file:///srv/a\\nb",
        "-oProxyCommand=x:y",
    ],
)
def test_refused_urls(tmp_path: Path, url: str) -> None:
    url = url.replace("\\n", "\n")
    escaped = url.replace("\n", "\\n")
    error = sync_error(tmp_path, f'\n[sources.bad]\nurl = "{escaped}"\n')
    assert [fault.line for fault in error.faults] == [2]
    assert "is not a URL that can be cloned" in error.faults[0].message


@pytest.mark.parametrize(
    "ref", ["--detach", "a..b", "a b", "a~1", "a:b", "refs/heads/*", "x.lock", "a@{1}", "a//b", "a\\tb"]
)
def test_refused_refs(tmp_path: Path, ref: str) -> None:
    error = sync_error(tmp_path, f'[sources.bad]\nurl = "/srv/x"\nref = "{ref}"\n')
    assert "is not a branch, tag or commit" in error.faults[0].message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://me:hunter2@example.org/x.git", "has a password in it"),
        ("https://me:hunt@hunter2@example.org/x.git", "has a password in it"),
        ("https://hunter2@example.org/x.git", "a user name in it, which may be a token"),
        ("https://me%3Ahunter2@example.org/x.git", "a user name in it, which may be a token"),
        ("https://me:a/hunter2@example.org/x.git", "is not a URL"),
        ("https://me:a b'hunter2@example.org/x.git", "has a password in it"),
        ("https://me:a\\nhunter2@example.org/x.git", "has a password in it"),
        ("HTTPS://me:hunter2@example.org/x.git", "has a scheme in capitals"),
        ("Ssh://me:hunter2@example.org/x.git", "has a scheme in capitals"),
        ("https://example.org/x.git?private_token=hunter2", "a query or a fragment"),
        ("https://example.org/x.git#hunter2", "a query or a fragment"),
        ("https://example.org?private_token=hunter2", "a query or a fragment"),
        ("ssh://me:hunter2@example.org/x.git", "has a password in it"),
        ("git://hunter2@example.org/x.git", "a user name in it, which may be a token"),
        ("me:hunter2@example.org:x.git", "has a password in it"),
        ("me:hunter2@x@example.org:x.git", "has a password in it"),
        ("git@example.org:x.git?token=hunter2", "is not a URL"),
        ("file://me:hunter2@localhost/x", "has a password in it"),
        ("ftp://me:hunter2@example.org/x", "is not a URL"),
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(tmp_path: Path, url: str, words: str) -> None:
    error = sync_error(tmp_path, f'[sources.bad]\nurl = "{url}"\n')
    assert words in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/x.git",
        "http://[::1]:8080/x.git",
        "https://example.org:8443/group/sub/x",
        "ssh://git@example.org:2222/x.git",
        "ssh://example.org/~me/x.git",
        "git@example.org:group/x.git",
        "git://example.org/x",
        "file:///srv/my repositories/x",
        "file://localhost/srv/x",
        "/srv/my repositories/x?y@z.bundle",
    ],
)
def test_accepted_urls(url: str) -> None:
    assert addresses.wrong(url) is None
    assert addresses.shown(url).partition("?")[0] == url.partition("?")[0]


def test_every_fault_is_reported_with_its_line(tmp_path: Path) -> None:
    error = sync_error(
        tmp_path,
        f"""
[sources.one]
url = "nonsense"
[sources.two]
url = "/srv/two"
sha = "abc123"
[sources."three"]
url = "/srv/three"
ref = "{A}"
sha = "{B}"
""",
    )
    assert [fault.line for fault in error.faults] == [2, 4, 7]
    assert A in error.faults[2].message
    assert B in error.faults[2].message


def test_an_unknown_name_tells_the_known_ones(tmp_path: Path) -> None:
    space = workspace(tmp_path, '[sources.one]\nurl = "/srv/one"\n')
    with pytest.raises(SourcesError, match=r"no source 'two'.*the settings have one"):
        sources.sync(["two"], workspace=space)


def test_no_sources_is_no_work(tmp_path: Path) -> None:
    assert sources.sync(workspace=workspace(tmp_path, "")) == []
    assert not (tmp_path / "sources").exists()


def test_git_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = sync_error(tmp_path, '[sources.one]\nurl = "/srv/one"\n')
    assert str(error) == "the program 'git' was not found (install git, or correct PATH)"


@pytest.mark.parametrize(
    ("refs", "ref", "found"),
    [
        ({"HEAD": A}, "", A),
        ({"refs/heads/main": A}, "main", A),
        ({"refs/tags/v1": B, "refs/tags/v1^{}": A}, "v1", A),
        ({"refs/heads/x": A, "refs/tags/x": A}, "x", A),
        ({"refs/heads/x": A, "refs/tags/x": B}, "refs/tags/x", B),
        ({"refs/heads/other/main": A}, "main", ""),
        ({}, "", ""),
    ],
)
def test_what_a_ref_means(refs: dict[str, str], ref: str, found: str) -> None:
    assert git.commit_of(refs, ref) == found


def test_a_branch_and_a_tag_of_one_name_are_refused() -> None:
    with pytest.raises(SourcesError, match=f"branch at {A} and a tag at {B}.*refs/heads/x"):
        git.commit_of({"refs/heads/x": A, "refs/tags/x": B}, "x")


def test_masking_of_web_addresses_and_control_characters() -> None:
    text = "fatal: unable to access 'https://token@example.org/x': \x1b[31mno\x07"
    assert addresses.masked(text) == "fatal: unable to access 'https://***@example.org/x': ?[31mno?"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from https://me:pa@ss@example.org/x to", "from https://***@example.org/x to"),
        ("HTTP://token@example.org/x", "HTTP://***@example.org/x"),
        ("'ssh://git@example.org/x': no", "'ssh://git@example.org/x': no"),
        ("ssh://me:pass@example.org/x", "ssh://***@example.org/x"),
        ("https://example.org/x?private_token=a&b=c: no", "https://example.org/x?*** no"),
    ],
)
def test_what_git_says_of_addresses_is_shown_without_secrets(text: str, shown: str) -> None:
    """An address may be another than that of the settings: by `insteadOf`, or where a remote leads to."""
    assert addresses.masked(text) == shown


def test_the_environment_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "PKR_VAR_password", "LD_PRELOAD"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    env = runner.environment()
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_CONFIG_COUNT"] == "0"
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "PKR_VAR_password", "LD_PRELOAD"} & set(env)


@pytest.mark.parametrize(
    "line",
    [
        "\tfsmonitor = a b",
        '\tfsmonitor = "a"',
        "\tfsmonitor=a",
        "\tfsmonitor",
        "[core] fsmonitor = a",
        '[include "x"] path = a',
        "[core.x]",
        "\turl = a\\",
        "\turl = a # b",
        "\turl = a\r",
        "# comment",
    ],
)
def test_only_plain_settings_are_read_without_git(line: str) -> None:
    """Everything else is left to git, so that nothing is understood in another way than git does."""
    assert clone_config.plain(f"[core]\n\tbare = false\n{line}\n") is None


def test_plain_settings_are_what_git_reads(tmp_path: Path) -> None:
    file = tmp_path / "config"
    for key, value in [
        ("core.fileMode", "true"),
        ("remote.origin.url", "https://example.org/x.git"),
        ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ("branch.Main/1.merge", "refs/heads/Main/1"),
        ("core.fsmonitor", "evil"),
    ]:
        subprocess.run(["git", "config", "--file", str(file), key, value], check=True)
    listed = subprocess.run(
        ["git", "config", "--file", str(file), "--list"], check=True, capture_output=True, text=True
    ).stdout
    assert clone_config.plain(file.read_text()) == [tuple(line.split("=", 1)) for line in listed.splitlines()]


def test_the_documentation_has_the_table_of_options() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "sources.md").read_text()
    for option in SOURCE_OPTIONS.values():
        default = "" if option.name == "url" else f"`{json.dumps(option.default)}`"
        assert f"| `{option.name}` | {default} | {option.metadata['help']} |".replace("|  |", "| |") in text


@pytest.mark.parametrize(
    ("folders", "lines"),
    [
        ([], "/*"),
        (["a"], "/* !/*/ /a/"),
        (["a/b/c"], "/* !/*/ /a/ !/a/*/ /a/b/ !/a/b/*/ /a/b/c/"),
        (["a/b", "a"], "/* !/*/ /a/"),
        (["c", "a/b"], "/* !/*/ /a/ !/a/*/ /a/b/ /c/"),
    ],
)
def test_patterns_are_those_of_git(tmp_path: Path, folders: list[str], lines: str) -> None:
    text = shape.patterns(folders)
    assert text.split() == lines.split()
    if folders:
        for command in (["init", "--quiet"], ["sparse-checkout", "set", "--cone", *folders]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        assert (tmp_path / ".git" / "info" / "sparse-checkout").read_text().split() == lines.split()


@pytest.mark.parametrize(
    ("path", "target", "leaves"),
    [
        ("a", "b", False),
        ("a", "/etc", True),
        ("a", "../../x", False),
        ("a", "../../../x", True),
        ("a/b", "../../../x", False),
        ("a/b", "./..//../../../x", True),
        ("a", "b/../x", True),
        ("a", "..", False),
        ("a", "", False),
    ],
)
def test_links_that_leave_the_workspace(path: str, target: str, leaves: bool) -> None:
    assert contents.leaves(path, target) is leaves


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("depth = -1", "depth must be at least 0"),
        ("lfs = 1", "lfs must be true or false"),
        ('sparse = "a"', "sparse must be a list of strings"),
        ("sparse = [1]", "sparse cannot be 1"),
        ('sparse = ["../a"]', "sparse cannot be '../a'"),
        ('sparse = ["a/"]', "sparse cannot be 'a/'"),
        ('sparse = ["/a"]', "sparse cannot be '/a'"),
        ('sparse = ["a/*"]', "sparse cannot be 'a/*'"),
        ('filter = "--upload-pack=x"', "filter cannot be '--upload-pack=x'"),
        ('refuse = ["hooks"]', "refuse cannot be 'hooks'"),
        ('filter = "blob:none"\nmax_mb = 1', "max_mb cannot be checked where filter leaves files out"),
    ],
)
def test_wrong_options_of_a_source(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(HybridError) as caught:
        sources.sync(workspace=workspace(tmp_path, f'[sources.bad]\nurl = "/srv/x"\n{line}\n'))
    assert words in str(caught.value)
