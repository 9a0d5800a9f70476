"""The settings: every key is read, and every fault told at once."""

from __future__ import annotations

import pytest

from hybridcore.errors import WorkspaceError
from hybridcore.settings import Settings, parse_settings
from hybridcore.source_settings import SourceSetting
from hybridcore.version_settings import KeepSetting, RetentionSetting


def test_every_key_is_read() -> None:
    text = """
    [packer]
    path = "/opt/packer"
    [build]
    parallel_builds = 3
    keep_images = 4
    [logs]
    max_bytes = 5
    backup_count = 6
    format = "json"
    keep_builds = 7
    keep_days = 8
    [state]
    lock_timeout = 9
    history = 10
    [environment]
    pass = ["VAULT_ADDR", "OS_*"]
    secrets = ["VAULT_TOKEN"]
    [environments.dev]
    max_age = "7d"
    [sources.demo]
    url = "file:///demo"
    ref = "main"
    sha = "abc"
    """
    settings = parse_settings(text)
    assert settings == Settings(
        packer_path="/opt/packer",
        parallel_builds=3,
        keep_images=4,
        logs_max_bytes=5,
        logs_backup_count=6,
        logs_format="json",
        logs_keep_builds=7,
        logs_keep_days=8,
        lock_timeout=9,
        history=10,
        environment_pass=("VAULT_ADDR", "OS_*"),
        environment_secrets=("VAULT_TOKEN",),
        max_ages={"dev": "7d"},
        retention=RetentionSetting(KeepSetting(4)),
        sources={"demo": SourceSetting("demo", "file:///demo", "main", "abc")},
    )


def test_an_empty_file_is_valid() -> None:
    assert parse_settings(" \n") == Settings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[pakcer]\n", "unknown setting 'pakcer'"),
        ("packer = 1\n", "[packer] must be a table"),
        ("[build]\nparallel = 1\n", "unknown setting 'parallel' in [build]"),
        ("[build]\nparallel_builds = '1'\n", "[build] parallel_builds must be a whole number, not '1'"),
        ("[build]\nparallel_builds = true\n", "[build] parallel_builds must be a whole number, not True"),
        ("[build]\nkeep_images = -1\n", "[build] keep_images must not be negative"),
        (
            "[environment]\npass = 'A'\n",
            "[environment] pass must be a list of names of variables, not 'A'",
        ),
        (
            "[environment]\nsecrets = ['A=1']\n",
            "[environment] secrets must be a list of names of variables, not ['A=1']",
        ),
        ("[environment]\nkeep = []\n", "unknown setting 'keep' in [environment]"),
        ("[environments]\ndev = 1\n", "[environments.dev] must be a table"),
        ("[environments.'../x']\n", "[environments.../x] is not the name of an environment"),
        ("[environments.dev]\nage = '7d'\n", "unknown setting 'age' in [environments.dev]"),
        (
            "[environments.dev]\nmax_age = 'soon'\n",
            "[environments.dev] max_age must be an age such as 7d or 12h, not 'soon'",
        ),
        ("[packer]\npath = 1\n", "[packer] path must be a string, not 1"),
        ("[logs]\nformat = 'xml'\n", "[logs] format must be text or json, not 'xml'"),
        ("[sources]\ndemo = 1\n", "[sources.demo] must be a table with url, ref and sha"),
        ("[sources.'../up']\nurl = 'x'\n", "[sources.../up] is not a folder name"),
        ("[sources.demo]\nref = 'main'\n", "[sources.demo] has no url"),
        ("[sources.demo]\nurl = 'x'\nbranch = 'y'\n", "unknown setting 'branch' in [sources.demo]"),
        ("[sources.demo]\nurl = 'x'\nsha = 1\n", "[sources.demo] sha must be a string"),
    ],
)
def test_faults(text: str, expected: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        parse_settings(text)
    assert [fault.message for fault in caught.value.faults] == [expected]


def test_all_faults_are_told_together() -> None:
    with pytest.raises(WorkspaceError) as caught:
        parse_settings("[build]\na = 1\nkeep_images = -1\n[logs]\nformat = 1\n", filename="here.toml")
    assert len(caught.value.faults) == 3
    assert str(caught.value).startswith("here.toml: the settings are not right")


def test_what_is_no_toml_is_told_with_its_place() -> None:
    with pytest.raises(WorkspaceError, match=r"not TOML.*line 2"):
        parse_settings("[build]\nx = = 1\n")


@pytest.mark.parametrize("name", ["[packer]\npath", "[sources.demo]\nurl", "deep"])
@pytest.mark.parametrize("value", [f"{'[' * 9999}{']' * 9999}", f"{'{a=' * 9999}1{'}' * 9999}"])
def test_settings_that_nest_too_deep(name: str, value: str) -> None:
    with pytest.raises(WorkspaceError, match="the settings nest too deep"):
        parse_settings(f"{name} = {value}\n")


@pytest.mark.parametrize("name", ["[packer]\npath", "[sources.demo]\nurl", "deep"])
def test_settings_whose_names_nest_deep(name: str) -> None:
    with pytest.raises(WorkspaceError, match="the settings are not right"):
        parse_settings(f"{name}{'.a' * 2000} = 1\n")
