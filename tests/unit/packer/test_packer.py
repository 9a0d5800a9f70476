"""The public functions of `hybridcore.packer`: each is its part's, and a build is recorded in the log."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from hybridcore import packer, pipeline
from hybridcore.errors import ConfigError, TemplatesError, WorkspaceError
from hybridcore.packer.options import BuildOptions
from tests.support.programs import SUCCESS, FakePacker
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/a"


@pytest.fixture
def space(
    make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker, monkeypatch: pytest.MonkeyPatch
) -> WorkspaceFolder:
    made = make_workspace()
    made.null(TARGET)
    pipeline.render(pipeline.Request(env="dev"), made.open(), write=True)
    fake_packer.answer("build", stdout=SUCCESS)
    monkeypatch.chdir(made.root)
    return made


def logged(space: WorkspaceFolder) -> list[str]:
    lines = (space.root / "logs/packer-hybrid.log").read_text().splitlines()
    return [line.partition("] ")[2] for line in lines if " packer: " in line]


def test_a_build_of_what_is_rendered_with_its_beginning_and_end_in_the_log(space: WorkspaceFolder) -> None:
    report = packer.build([TARGET, TARGET], env="dev")
    assert [(one.target, one.status.value) for one in report.results] == [(TARGET, "built")]
    lines = logged(space)
    assert lines[0] == "INFO packer: [build dev] begun"
    assert any("1 built" in line for line in lines)
    assert re.fullmatch(r"INFO packer: \[build dev\] done after .* s", lines[-1])


def test_a_secret_does_not_reach_the_log_of_a_build_that_fails(space: WorkspaceFolder) -> None:
    options = BuildOptions(secrets={"nobody_has": "s3cret-word"}, only=("s3cret-word",))
    report = packer.build([TARGET], env="dev", options=options, workspace=space.open())
    assert len(report.results) == 1
    assert "s3cret-word" not in (space.root / "logs/packer-hybrid.log").read_text()


@pytest.mark.parametrize(
    ("env", "target", "kind"),
    [
        ("../x", TARGET, WorkspaceError),
        ("dev", "linux/null/none", TemplatesError),
        ("other", TARGET, ConfigError),
    ],
)
def test_what_cannot_be_built_is_refused(
    space: WorkspaceFolder, fake_packer: FakePacker, env: str, target: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        packer.build([target], env=env)
    assert [call for call in fake_packer.calls_of("build") if "--help" not in call.argv] == []


def test_the_workspace_is_found_from_the_current_folder(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    fake_packer.answer("validate", stdout="The configuration is valid.\n")
    assert packer.validate([TARGET], env="dev").ok
    fake_packer.answer("fmt", stdout="")
    assert packer.fmt([space.root / "templates"], check=True).changed is False
    with pytest.raises(TemplatesError):
        packer.inspect(["linux/null/none"])
    with pytest.raises(TemplatesError):
        packer.init(["linux/null/none"])
