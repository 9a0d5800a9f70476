"""The commands: what the user asked for, in Packer's words, and nothing that this Packer lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridcore.errors import ConfigError, PackerError
from hybridcore.packer.options import BuildOptions, OnError
from hybridcore.packer.program.capabilities import Capabilities, version_command
from hybridcore.packer.program.commands import (
    build_command,
    check_command,
    fmt_command,
    init_command,
    inspect_command,
    validate_command,
)

OLD = Capabilities(
    path="/usr/bin/packer",
    version="1.5.0",
    commands=("build", "fmt", "inspect", "validate", "version"),
    options=(("build", ("-force", "-machine-readable", "-on-error", "-var-file")),),
    on_error=("abort", "ask", "cleanup"),
)
NEW = Capabilities(
    path="/opt/packer",
    version="1.9.4",
    commands=("build", "fmt", "init", "inspect", "plugins", "validate", "version"),
    options=(
        (
            "build",
            ("-color", "-except", "-force", "-machine-readable", "-on-error", "-only", "-var-file"),
        ),
        ("init", ("-upgrade",)),
    ),
    on_error=("abort", "ask", "cleanup", "run-cleanup-provisioner"),
)


def test_a_build_without_options():
    assert build_command(NEW, BuildOptions()) == (
        "/opt/packer",
        "build",
        "-machine-readable",
        "-color=false",
        ".",
    )


def test_a_build_with_every_option():
    options = BuildOptions(
        only=("null.*", "qemu.a"),
        except_=("manifest",),
        on_error=OnError.RUN_CLEANUP_PROVISIONER,
        force=True,
        secrets={"password": "hunter2"},
        extra_env={"TOKEN": "hunter3"},
    )
    command = build_command(NEW, options, "folder", var_files=["a.pkrvars.hcl", "b.pkrvars.hcl"])
    assert command == (
        "/opt/packer",
        "build",
        "-machine-readable",
        "-color=false",
        "-on-error=run-cleanup-provisioner",
        "-force",
        "-only=null.*,qemu.a",
        "-except=manifest",
        "-var-file=a.pkrvars.hcl",
        "-var-file=b.pkrvars.hcl",
        "folder",
    )
    # Packer refuses flags behind the template, and secrets never come here.
    assert command[-1] == "folder"
    assert "hunter" not in " ".join(command)
    assert "hunter" not in repr(options)


def test_an_option_for_looks_is_left_out_where_it_is_not_known():
    assert "-color=false" not in build_command(OLD, BuildOptions())


EVERY = BuildOptions(only=("a",), except_=("b", "c"), force=True, on_error=OnError.RUN_CLEANUP_PROVISIONER)


def test_a_value_that_the_user_asked_for_is_refused_where_it_is_not_known():
    with pytest.raises(ConfigError) as caught:
        check_command(OLD, BuildOptions(on_error=OnError.RUN_CLEANUP_PROVISIONER))
    (fault,) = caught.value.faults
    assert fault.message == "Packer 1.5.0 does not know -on-error=run-cleanup-provisioner"
    assert fault.hint == "it knows abort, ask, cleanup"
    check_command(OLD, BuildOptions(on_error=OnError.ABORT))
    check_command(NEW, EVERY)


@pytest.mark.parametrize("option", ["-only", "-except", "-force", "-on-error"])
def test_an_option_that_the_user_asked_for_is_refused_where_it_is_not_known(option):
    known = dict(NEW.options)["build"]
    lacking = replace(NEW, options=(("build", tuple(name for name in known if name != option)),))
    with pytest.raises(ConfigError) as caught:
        check_command(lacking, EVERY)
    (fault,) = caught.value.faults
    assert fault.message == f"Packer 1.9.4 does not know {option}"
    assert fault.hint == f"leave '{option[1:]}' out, or use another Packer"
    # What nobody asked for is neither checked nor passed.
    check_command(lacking, BuildOptions())
    assert not [argument for argument in build_command(lacking, BuildOptions()) if option in argument]


def test_a_packer_without_what_every_build_needs_is_refused():
    with pytest.raises(ConfigError) as caught:
        check_command(replace(NEW, options=()), BuildOptions())
    assert [fault.message.split(", which")[0] for fault in caught.value.faults] == [
        "Packer 1.9.4 does not know -machine-readable",
        "Packer 1.9.4 does not know -var-file",
    ]
    assert {fault.hint for fault in caught.value.faults} == {"use Packer 1.6 or newer"}


@pytest.mark.parametrize("field", ["only", "except_"])
@pytest.mark.parametrize("pattern", ["a,b", ""])
def test_a_pattern_that_would_become_another_one_is_refused(field, pattern):
    with pytest.raises(ConfigError, match="cannot be a pattern"):
        check_command(NEW, BuildOptions(**{field: ("a", pattern)}))


def test_a_pattern_that_looks_like_an_option_stays_a_pattern():
    assert "-only=-force" in build_command(NEW, BuildOptions(only=("-force",)))


def test_init_only_where_there_is_one():
    assert init_command(NEW, "x", upgrade=True) == ("/opt/packer", "init", "-upgrade", "x")
    with pytest.raises(PackerError, match="has no init: its plugins are built in"):
        init_command(OLD)


def test_the_other_commands():
    assert version_command("packer") == ("packer", "version")
    assert fmt_command(NEW, "/x") == ("/opt/packer", "fmt", "/x")
    assert inspect_command(NEW) == ("/opt/packer", "inspect", ".")
    assert validate_command(NEW, var_files=["v"]) == ("/opt/packer", "validate", "-var-file=v", ".")
