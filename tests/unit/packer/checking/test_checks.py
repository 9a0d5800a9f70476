"""What Packer finds in a target, as faults with the places that people know."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore.errors import ConfigError, PackerError
from hybridcore.packer.checking.checks import init, inspect, validate
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

A, B = "linux/null/a", "linux/null/b"
DIAGNOSTIC = """\
Error: Unsupported argument

  on build.pkr.hcl line 6, in source "null" "a":
   6:   bogus = 1

An argument named "bogus" is not expected here.
"""
HELP = """\
Available commands are:
    build           build
    init            install
    validate        check
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker) -> WorkspaceFolder:
    fake_packer.answer("--help", stdout=HELP)
    made = make_workspace()
    for target in (A, B):
        made.null(target)
        made.write(f"configs/dev/{target}.pkrvars.hcl", 'message = "x"\n')
    return made


def test_a_fault_has_the_file_of_the_workspace_and_hides_no_other_target(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    fails = f'import sys\nif os.getcwd().endswith("/a"):\n    print({DIAGNOSTIC!r})\n    sys.exit(1)\n'
    fake_packer.answer("validate", code=fails)
    first, second = validate([A, B], env="dev", workspace=space.open()).results
    ((fault,),) = (first.faults,)
    assert (fault.file, fault.line) == (f"templates/{A}/build.pkr.hcl", 6)
    assert fault.message.startswith("Unsupported argument: An argument named")
    assert second.ok
    checked = [
        call for call in fake_packer.calls_of("validate") if call.argv[1].endswith("/values.pkrvars.hcl")
    ]
    assert [call.argv[-1] for call in checked] == [".", "."]
    assert not any(call.cwd.startswith(str(space.root)) for call in checked)


def test_a_failure_without_words_is_a_fault_all_the_same(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    fake_packer.answer("validate", exit_code=3)
    (result,) = validate([A], env="dev", workspace=space.open()).results
    assert [fault.message for fault in result.faults] == ["Packer ended with exit code 3 and said nothing"]


def test_a_target_without_configuration_is_told_before_packer_starts(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    (space.root / f"configs/dev/{B}.pkrvars.hcl").unlink()
    with pytest.raises(ConfigError) as caught:
        validate([A, B], env="dev", workspace=space.open())
    assert f"configs/dev/{B}.pkrvars.hcl" in str(caught.value)
    assert fake_packer.calls_of("validate") == []


def test_plugins_that_were_installed_are_named_once(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    line = "Installed plugin github.com/hashicorp/qemu v1.0.9 in somewhere\n"
    fake_packer.answer("init", stdout=line)
    assert init([A, B], workspace=space.open()).installed == (line.strip(),)
    fake_packer.answer("init", stdout=DIAGNOSTIC, exit_code=1)
    with pytest.raises(PackerError) as caught:
        init([A], workspace=space.open())
    assert f"templates/{A}/build.pkr.hcl:6" in str(caught.value)


def test_what_packer_cannot_read_is_an_error(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    fake_packer.answer("inspect", stdout=DIAGNOSTIC, exit_code=1)
    with pytest.raises(PackerError, match="Packer cannot read these templates"):
        inspect([A], workspace=space.open())
