"""What is refused before git runs at all, and the pure functions of the module."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridcore import sources
from hybridcore.errors import HybridError, SourcesError
from hybridcore.source_settings import SOURCE_OPTIONS
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


def test_the_documentation_has_the_table_of_options() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "sources.md").read_text()
    for option in SOURCE_OPTIONS.values():
        default = "" if option.name == "url" else f"`{json.dumps(option.default)}`"
        assert f"| `{option.name}` | {default} | {option.metadata['help']} |".replace("|  |", "| |") in text


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
