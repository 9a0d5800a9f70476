"""`packer-hybrid build` and `builders list`: options, exit codes, and what is printed."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import cli, pipeline
from hybridcore.cli import build as command
from hybridcore.errors import PackerError
from hybridcore.packer.options import BuildOptions, OnError
from hybridcore.packer.results import Artifact, ArtifactFile, BuildReport, BuildResult, Status
from tests.support.workspaces import WorkspaceFolder


def result(status: Status, target: str = "linux/null/a", **more: Any) -> BuildResult:
    return BuildResult(target=target, builder="source.null.a", status=status, **more)


B, U, F, C, T = Status.BUILT, Status.UNCHANGED, Status.FAILED, Status.CANCELLED, Status.TIMED_OUT


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], 0),
        ([result(B), result(U)], 0),
        ([result(B), result(F)], 3),
        ([result(T)], 3),
        ([result(C)], 130),
        ([result(B), result(C)], 130),
        ([result(F), result(C)], 3),
        ([result(F, locked=True)], 4),
        ([result(B), result(F, locked=True)], 4),
        ([result(F), result(F, locked=True)], 3),
    ],
)
def test_exit_codes(results: list[BuildResult], code: int) -> None:
    assert command.exit_code(BuildReport(tuple(results))) == code


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null("linux/null/a")
    return made


class Builds:
    """Stands for the pipeline: takes the request, and gives what the test says."""

    def __init__(self) -> None:
        self.request: pipeline.Request
        self.check: bool
        self.report: BuildReport | BaseException = BuildReport((result(B),), "run")

    def __call__(
        self, request: pipeline.Request, *, workspace, monitor, check: bool, watched: list[int]
    ) -> BuildReport:
        self.request, self.check, self.workspace, self.monitor = request, check, workspace, monitor
        self.watched = watched
        if isinstance(self.report, BaseException):
            raise self.report
        return self.report


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Builds:
    made = Builds()
    monkeypatch.setattr(pipeline, "build", made)
    # The command answers to signals of its process; the tests' process keeps its own answers.
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    return made


def run(space: WorkspaceFolder, *arguments: str) -> int:
    return cli.main(["--workspace", str(space.root), *arguments])


def test_options_become_a_request(
    builds: Builds, space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKR_VAR_password", "from-the-environment")
    monkeypatch.setenv("LICENCE_SERVER", "licences.example.org")
    monkeypatch.setenv("HYBRIDCORE_WATCH", "4711")
    arguments = """--env dev linux/null/a --var message=hi --var list=["a"] --secret password --no-ansible
        --puppet --force --only x --only y --except z --on-error abort --parallel-builds 3 --timeout 1.5
        --retries 2 --retry-delay 0.5 --lock-timeout 9 --env-var LICENCE_SERVER --quiet"""
    assert run(space, "build", *arguments.split()) == 0
    request = builds.request
    assert builds.watched == [4711]
    assert (request.env, list(request.targets)) == ("dev", ["linux/null/a"])
    assert request.vars == {"message": "hi", "list": ["a"]}
    assert request.provisioners == {"ansible": False, "puppet": True}
    options = request.options
    assert (options.only, options.except_, options.on_error) == (("x", "y"), ("z",), OnError.ABORT)
    assert (options.parallel_builds, options.timeout, options.retries) == (3, 1.5, 2)
    assert (options.lock_timeout, options.force, options.retry_delay) == (9, True, 0.5)
    assert options.extra_env == {"LICENCE_SERVER": "licences.example.org"}
    assert options.secrets == {"password": "from-the-environment"}
    assert "from-the-environment" not in repr(request)
    assert builds.monitor.wants_lines is False
    assert builds.check is False


def test_what_is_not_given_is_the_default_of_the_core(builds: Builds, space: WorkspaceFolder) -> None:
    assert run(space, "build", "--env", "dev") == 0
    assert builds.request.options == BuildOptions()


def test_variables_of_the_environment_that_are_not_set_are_told_together(
    builds: Builds, space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(space, "--json", "build", "--env", "dev", "--env-var", "NO_A", "--env-var", "NO_B") == 1
    assert [fault["message"] for fault in json.loads(capsys.readouterr().out)["faults"]] == [
        "the environment variable 'NO_A' is not set",
        "the environment variable 'NO_B' is not set",
    ]


def test_json_has_every_result(
    builds: Builds, space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ArtifactFile("images/x", 3, "f" * 64)
    builds.report = BuildReport((result(B, artifacts=(Artifact("VM", "qemu", (file,)),)), result(F)), "run")
    assert run(space, "--json", "build", "--env", "dev") == 3
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["changed"], said["run_id"]) == ("partial", True, "run")
    assert [one["status"] for one in said["results"]] == ["built", "failed"]
    assert said["results"][0]["artifacts"][0]["files"] == [
        {"path": "images/x", "size": 3, "sha256": "f" * 64}
    ]


def test_a_person_reads_a_summary(
    builds: Builds, space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ArtifactFile("images/x", 3_400_000, "f" * 64)
    builds.report = BuildReport(
        (
            result(
                B, artifacts=(Artifact("VM", "qemu", (file,)), Artifact("ami-1", "aws")), log_path="logs/x"
            ),
            result(F, "linux/null/b", errors=("why\nmore",), warnings=("odd",)),
        )
    )
    run(space, "build", "--env", "dev")
    assert capsys.readouterr().out.splitlines() == [
        "linux/null/a: built",
        "  image    images/x",
        "  size     3.4 MB",
        f"  sha256   {'f' * 64}",
        "  artifact ami-1",
        "  log      logs/x",
        "linux/null/b: failed",
        "  why",
        "  more",
        "  warning  odd",
    ]


@pytest.mark.parametrize(("status", "code"), [(B, 5), (U, 0)])
def test_check_says_by_its_exit_code_whether_anything_would_change(
    builds: Builds, space: WorkspaceFolder, status: Status, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    builds.report = BuildReport((result(status, reasons=("never built",)),))
    assert run(space, "build", "--env", "dev", "--check") == code
    assert builds.check is True
    expected = "would be built" if code else "unchanged"
    assert capsys.readouterr().out.startswith(f"linux/null/a: {expected}\n")


def test_faults_of_secrets_are_told_together_without_their_values(
    builds: Builds,
    space: WorkspaceFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PKR_VAR_short", "xyz")
    code = run(space, "--json", "build", "--env", "dev", "--secret", "missing", "--secret", "short")
    assert code == 1
    said = capsys.readouterr()
    faults = json.loads(said.out)["faults"]
    assert len(faults) == 2
    assert "export PKR_VAR_missing" in said.err
    assert "'short' has 3 characters" in said.err
    assert "xyz" not in said.out + said.err


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (PackerError("it broke", hint="mend it"), 3, "packer-hybrid: it broke (mend it)\n"),
        (KeyboardInterrupt(), 130, "packer-hybrid: cancelled\n"),
        (OSError(5, "Input/output error"), 70, "packer-hybrid: Input/output error\n"),
    ],
)
def test_what_ends_a_build(
    builds: Builds,
    space: WorkspaceFolder,
    error: BaseException,
    code: int,
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    builds.report = error
    assert run(space, "build", "--env", "dev") == code
    assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize(("inside", "code"), [(True, 1), (False, 70)])
def test_a_file_of_the_workspace_that_is_in_the_way_is_the_users_to_mend(
    builds: Builds, space: WorkspaceFolder, inside: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = space.root / "images" if inside else space.root.parent / "images"
    builds.report = NotADirectoryError(20, "Not a directory", file)
    assert run(space, "--json", "build", "--env", "dev") == code
    said = capsys.readouterr()
    assert said.err.startswith(f"packer-hybrid: {file}: Not a directory (look at what is there: ")
    error = json.loads(said.out)
    assert (error["error"], error["message"], error["file"]) == ("FileError", "Not a directory", str(file))


def test_a_cancelled_command_says_so_as_data(
    builds: Builds, space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    builds.report = KeyboardInterrupt()
    assert run(space, "--json", "build", "--env", "dev") == 130
    said = json.loads(capsys.readouterr().out)
    assert (said["error"], said["msg"]) == ("Cancelled", "cancelled")


def test_a_fault_of_ours_has_an_exit_code_of_its_own(
    builds: Builds, space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    builds.report = ZeroDivisionError("nobody thought of this")
    assert run(space, "build", "--env", "dev") == 70
    assert "ZeroDivisionError: nobody thought of this" in capsys.readouterr().err


def test_what_nohup_ignores_stays_ignored(
    builds: Builds, space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {signal.SIGHUP: signal.SIG_IGN, signal.SIGTERM: signal.SIG_IGN}
    monkeypatch.setattr(command.signal, "getsignal", answers.get)
    monkeypatch.setattr(command.signal, "signal", answers.__setitem__)
    assert run(space, "build", "--env", "dev") == 0
    assert answers[signal.SIGHUP] is signal.SIG_IGN
    assert callable(answers[signal.SIGTERM])
    answers[signal.SIGHUP] = signal.SIG_DFL
    run(space, "build", "--env", "dev")
    assert answers[signal.SIGHUP] is answers[signal.SIGTERM]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["build"],
        ["build", "--env", "dev", "--on-error", "x"],
        ["build", "--env", "dev", "--retries", "x"],
    ],
)
def test_usage(space: WorkspaceFolder, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(space, *arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_missing_workspace(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--workspace", str(tmp_path), "build", "--env", "dev"]) == 1
    assert "is not a workspace" in capsys.readouterr().err
