"""Inputs that change between the plan and the end of a build: nobody can say of what the image was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.results import BuildResult, Status
from tests.support.builds import build, state_of, statuses
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

A, B = "linux/null/a", "linux/null/b"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def once(space: WorkspaceFolder, command: str) -> str:
    """A line of shell that runs a command the first time alone; `{root}` is the workspace."""
    done = space.root / "images" / "done"
    return f"test -e {done} || {{ touch {done}; {command.format(root=space.root)}; }}"


def assert_not_trusted(result: BuildResult, space: WorkspaceFolder, what: str) -> None:
    """It is an image, without a fingerprint, and says why."""
    assert result.status is Status.BUILT, result.errors
    assert result.fingerprint == ""
    (warning,) = result.warnings
    assert warning.startswith(f"inputs changed after the build was planned: {what}; no fingerprint")
    image = state_of(space)["images"][f"dev/{result.target}"]
    assert "fingerprint" not in image
    assert len(image["given_fingerprint"]) == 64


def assert_built_once_more(space: WorkspaceFolder, target: str) -> None:
    """The next run builds it, though nothing changes any more, and the one after that does not."""
    run = state_of(space)["images"][f"dev/{target}"]["run"]
    because = (f"its inputs changed while it was built, in run {run}",)
    predicted = {one.target: one.reasons for one in build(space, check=True).results}
    assert predicted[target] == because
    (again,) = (one for one in build(space).results if one.target == target)
    assert (again.status, again.reasons, again.warnings) == (Status.BUILT, because, ())
    assert len(again.fingerprint) == 64
    assert "given_fingerprint" not in state_of(space)["images"][f"dev/{target}"]
    assert set(statuses(build(space)).values()) == {"unchanged"}


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (f"echo >> {{root}}/templates/{A}/build.pkr.hcl", f"templates/{A}/build.pkr.hcl changed"),
        (f"touch {{root}}/templates/{A}/new", f"templates/{A}/new added"),
        ("echo more >> {root}/files/x", "files/x changed"),
    ],
)
def test_an_input_that_changes_during_the_build(
    space: WorkspaceFolder, any_packer: Path, command: str, what: str
) -> None:
    space.use(any_packer)
    space.write("files/x", "x")
    space.null(A, inline=("cat ${path.root}/../../../../files/x", once(space, command)))
    file = space.root / "templates" / A / "build.pkr.hcl"
    named = 'environment_vars = ["X=${path.root}/../../../../files/x"]'
    file.write_text(file.read_text().replace("    inline", f"    {named}\n    inline"))
    (result,) = build(space).results
    assert_not_trusted(result, space, what)
    assert_built_once_more(space, A)


def test_an_input_that_changes_while_a_target_waits(space: WorkspaceFolder) -> None:
    space.null(A, inline=(once(space, f"echo >> {{root}}/templates/{B}/build.pkr.hcl"),))
    space.null(B)
    first, second = build(space, parallel_builds=1).results
    assert (first.target, first.warnings) == (A, ())
    assert len(first.fingerprint) == 64
    assert_not_trusted(second, space, f"templates/{B}/build.pkr.hcl changed")
    assert_built_once_more(space, B)


def test_an_input_that_is_the_same_again_when_the_build_ends(space: WorkspaceFolder) -> None:
    """The mirror was made of it while it was another one."""
    kept, file = space.root / "images" / "kept", space.root / "templates" / B / "build.pkr.hcl"
    space.null(A, inline=(once(space, f"cp -p {file} {kept}; echo >> {file}"),))
    space.null(B, inline=(f"test ! -e {kept} || mv {kept} {file}",))
    _, second = build(space, parallel_builds=1).results
    assert_not_trusted(second, space, f"templates/{B}/build.pkr.hcl changed")
