"""What a Packer can do: asked of it, remembered by the identity of the program."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from hybridcore.errors import PackerError
from hybridcore.packer.program.capabilities import (
    CACHE_FILE,
    known,
    parse_version,
    probe,
    probe_workspace,
)

HELP = """\
Usage: packer [--version] [--help] <command> [<args>]

Available commands are:
    build           build image(s) from template
    init            Install missing plugins or upgrade plugins
    plugins         Interact with Packer plugins and catalog
    validate        check that a template is valid
    version         Prints the Packer version
"""
BUILD_HELP = """\
Options:

  -color=false                  Disable color output. (Default: color)
  -force                        Force a build to continue if artifacts exist, deletes existing artifacts.
  -on-error=[cleanup|abort|ask] If the build fails do: clean up (default), abort or ask.
"""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Packer v1.6.6\n", "1.6.6"),
        (
            "Packer v1.6.6\n\nYour version of Packer is out of date! The latest version\n"
            "is 1.11.2. You can update by downloading from www.packer.io/downloads\n",
            "1.6.6",
        ),
        ("Packer v1.10.0-dev (abcdef)\n", "1.10.0-dev"),
        ("0 0\n", None),
        ("", None),
    ],
)
def test_the_version_in_what_packer_prints(text, version):
    assert parse_version(text) == version


@pytest.fixture
def answering(fake_packer):
    fake_packer.answer("--help", stdout=HELP)
    fake_packer.answer("build --help", stdout=BUILD_HELP)
    fake_packer.answer("validate", stdout="known builders: [qemu null\nfile]\n", exit_code=1)
    return fake_packer


def test_what_is_learnt(answering):
    found = probe("packer")
    assert found.path == str(answering.path)
    assert found.version == "1.9.4"
    assert found.has_init
    assert found.has_plugins
    assert found.supports("build", "-force")
    assert not found.supports("build", "-only")
    assert not found.supports("fmt", "-check")
    assert found.on_error == ("abort", "ask", "cleanup")
    assert found.builders == ("file", "null", "qemu")
    assert found.to_dict()["has_init"] is True
    assert found.language == ()  # it finds every template wrong
    answering.answer("validate", stdout="The configuration is valid.\n")
    answering.path.write_text(answering.path.read_text() + "\n# another program now\n")
    assert probe("packer").language == ("regex", "open_default", "parentheses", "constraints")


def test_no_plugin_of_the_user_counts_and_nobody_is_called(answering, monkeypatch):
    monkeypatch.setenv("PACKER_PLUGIN_PATH", "/somewhere/plugins")
    probe("packer")
    for call in answering.calls:
        assert call.env["CHECKPOINT_DISABLE"] == "1"
        assert call.env["PACKER_PLUGIN_PATH"] != "/somewhere/plugins"
        assert not os.path.exists(call.env["TMPDIR"])


def test_it_is_remembered_until_the_program_changes(answering, tmp_path):
    first = probe("packer", cache_dir=tmp_path / "cache")
    calls = len(answering.calls)
    assert calls > 1
    assert probe("packer", cache_dir=tmp_path / "cache") == first
    assert len(answering.calls) == calls
    answering.set_version("1.6.6")
    answering.path.write_text(answering.path.read_text() + "\n# another program now\n")
    assert probe("packer", cache_dir=tmp_path / "cache").version == "1.6.6"


def test_what_it_can_do_is_known_once_it_was_asked_and_no_program_is_run_for_it(answering, make_workspace):
    space = make_workspace()
    space.use(answering.path)
    workspace = space.open()
    assert known(workspace) is None
    found = probe_workspace(workspace)
    calls = len(answering.calls)
    assert known(workspace) == found
    assert len(answering.calls) == calls
    answering.path.write_text(answering.path.read_text() + "\n# another program now\n")
    assert known(workspace) is None
    answering.path.unlink()
    assert known(workspace) is None


def test_a_program_with_the_same_size_and_time_at_another_place_is_another_one(answering, tmp_path):
    probe("packer", cache_dir=tmp_path / "cache")
    other = tmp_path / "other"
    shutil.copy2(answering.path, other)
    calls = len(answering.calls)
    assert probe(str(other), cache_dir=tmp_path / "cache").path == str(other)
    assert len(answering.calls) > calls


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"a": 1}', '{"a": {"path": "/x"}}', '{"a": null}', "\udcff"]
)
def test_a_damaged_cache_is_learnt_again(answering, tmp_path, damage):
    first = probe("packer", cache_dir=tmp_path)
    (tmp_path / CACHE_FILE).write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert probe("packer", cache_dir=tmp_path) == first
    assert json.loads((tmp_path / CACHE_FILE).read_text())


def test_a_cache_folder_that_is_a_file_is_no_reason_to_fail(answering, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert probe("packer", cache_dir=tmp_path / "cache").version == "1.9.4"


def test_no_packer_at_all():
    with pytest.raises(PackerError, match="was not found as 'packer-of-nobody'") as caught:
        probe("packer-of-nobody")
    assert "install Packer" in caught.value.hint


def test_another_program_of_that_name(fake_program):
    """On some systems packer is a program of cracklib."""
    fake_program("packer").answer("", stdout="0 0\n")
    with pytest.raises(PackerError, match="does not answer like Packer") as caught:
        probe("packer")
    assert "cracklib" in caught.value.hint


def test_a_program_that_cannot_be_run(tmp_path):
    broken = tmp_path / "packer"
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    with pytest.raises(PackerError, match="cannot be run"):
        probe(str(broken))
