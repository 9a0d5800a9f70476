"""`packer_build` as Ansible runs it: as an action plugin on the control node, and shipped as a module."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.builds import state_of
from tests.support.playbooks import CONNECTION, ELSEWHERE, Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TASK = "hybridcore.packer.packer_build"
TARGET = "linux/null/demo"
SECRET = "correct horse battery"
# Takes the place of systemd's journal, to which a module logs how it was called; {file} has a line for each.
JOURNAL = """\
def send(MESSAGE, **more):
    with open({file!r}, "a") as file:
        file.write(MESSAGE + str(more) + "\\n")
sendv = send
"""


class Player:
    """Runs tasks in one playbook and gives what each registered."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self.ansible = ansible
        self.folder = folder
        (folder / "connection_plugins").mkdir(parents=True)
        (folder / "connection_plugins" / "elsewhere.py").write_text(CONNECTION)

    def write(self, tasks: list[dict[str, Any]], **keywords: Any) -> Path:
        content = [{"hosts": "localhost", "gather_facts": False, "connection": "local", **keywords}]
        for number, task in enumerate(tasks):
            task |= {"register": f"answer_{number}", "ignore_errors": True}
        answers = "{{ [" + ", ".join(f"answer_{number}" for number in range(len(tasks))) + "] | to_json }}"
        last = {"copy": {"content": answers, "dest": f"{self.folder}/answers.json"}, "connection": "local"}
        last |= {"check_mode": False, "diff": False}
        content[0]["tasks"] = [*tasks, last]
        file = self.folder / "play.yml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return file

    def play(
        self, tasks: list[dict[str, Any]], *arguments: str, cwd: Path | None = None, **keywords: Any
    ) -> tuple[list[dict[str, Any]], str]:
        file = self.write(tasks, **keywords)
        done = self.ansible.playbook(file, *arguments, cwd=cwd or self.folder)
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return json.loads((self.folder / "answers.json").read_text()), done.stdout


def calls_of_the_module(output: str) -> int:
    """How often `packer_build` was run as a module, shipped to its host, in what Ansible says with -vvv."""
    return len(re.findall(r" EXEC .*python\S* \S+/AnsiballZ_packer_build\.py ", output))


@pytest.fixture
def player(ansible: Ansible, tmp_path: Path) -> Player:
    return Player(ansible, tmp_path / "plays")


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null(TARGET)
    return made


def test_wrong_input_is_refused_and_nothing_starts(player: Player, space: WorkspaceFolder) -> None:
    here = {"workspace": str(space.root)}
    tasks = {
        "no_such_option": {**here, "env": "dev", "no_such_option": 1},
        "parallel_builds": {**here, "env": "dev", "parallel_builds": "many"},
        "missing required arguments: env": here,
        "value of on_error must be one of": {**here, "env": "dev", "on_error": "ignore"},
        "'password' has 3 characters": {**here, "env": "dev", "secrets": {"password": "abc"}},
        "the secret 'password' has no value": {**here, "env": "dev", "secrets": {"password": None}},
        "'ADDED' is a list or a map": {**here, "env": "dev", "extra_env": {"ADDED": {"a": "b"}}},
        "a map with target and vars, not 5": {**here, "env": "dev", "targets": [5]},
        "there is no folder templates/linux/null/none": {
            **here,
            "env": "dev",
            "targets": ["linux/null/none"],
        },
        "asked for twice, with other values": {
            **here,
            "env": "dev",
            "targets": [TARGET, {"target": TARGET, "vars": {"message": "other"}}],
        },
        "is not the name of an environment": {**here, "env": "../dev"},
        "is not a workspace": {"env": "dev", "workspace": str(space.root / "none")},
    }
    asynchronous = {TASK: {**here, "env": "dev"}, "async": 30, "poll": 1}
    answers, _ = player.play([*({TASK: options} for options in tasks.values()), asynchronous])
    for expected, answer in zip(tasks, answers, strict=False):
        assert answer["failed"] is True
        assert expected in answer["msg"], answer
        assert answer["changed"] is False
    assert answers[-1]["failed"] is True
    assert "async" in answers[-1]["msg"]
    assert state_of(space) == {}


def test_check_mode_predicts_with_the_same_keys(player: Player, space: WorkspaceFolder) -> None:
    task = {TASK: {"env": "dev", "workspace": str(space.root)}}
    answers, output = player.play(
        [
            {**task, "check_mode": True, "diff": True},
            {**task, "diff": True},
            dict(task),
            {**task, "check_mode": True},
        ]
    )
    predicted, built, unchanged, still = answers
    assert [answer["changed"] for answer in answers] == [True, True, False, False]
    assert set(predicted) == set(built)
    assert set(unchanged) == set(still) == set(built) - {"diff"}
    assert set(predicted["results"][0]) == set(built["results"][0]) == set(unchanged["results"][0])
    assert predicted["results"][0]["summary"][0] == f"{TARGET}: would be built"
    assert predicted["diff"] == built["diff"]
    assert predicted["diff"][0]["after"] == "never built\n"
    assert "+never built" in output
    assert [answer["results"][0]["status"] for answer in answers] == [
        "built",
        "built",
        "unchanged",
        "unchanged",
    ]
    assert built["index"] == {TARGET: 0}
    result = built["results"][0]
    assert os.path.isabs(result["log_path"])
    assert Path(result["log_path"]).is_file()
    assert Path(result["manifest_path"]).is_file()
    assert unchanged["results"][0]["manifest_path"] == result["manifest_path"]
    assert [run["status"] for run in state_of(space)["history"]] == ["built"]


def test_one_failure_fails_the_task_and_gives_every_result(player: Player, space: WorkspaceFolder) -> None:
    space.null("linux/null/bad", inline=("echo this is why; exit 1",))
    ((answer,), output) = player.play([{TASK: {"env": "dev", "workspace": str(space.root)}}])
    assert answer["failed"] is True
    assert answer["changed"] is True
    assert answer["msg"].startswith("1 of 2 images were not built; linux/null/bad: ")
    assert [result["status"] for result in answer["results"]] == ["failed", "built"]
    assert "this is why" in output


def test_options_reach_packer(player: Player, space: WorkspaceFolder) -> None:
    seen = space.root / "seen"
    space.null(
        TARGET,
        inline=(
            f"echo $VSPHERE_SERVER $ADDED $PKR_VAR_message >> {seen}",
            "echo value ${var.message}",
            "echo secret $PKR_VAR_password",
        ),
    )
    space.write(f"templates/{TARGET}/secret.pkr.hcl", 'variable "password" {\n  sensitive = true\n}\n')
    plays = player.folder / "deeper"
    plays.mkdir()
    answers, output = player.play(
        [
            {
                TASK: {
                    "workspace": "../workspace",
                    "targets": [{"target": TARGET, "vars": {"message": "own"}}],
                    "vars": {"message": "of all"},
                    "secrets": {"password": SECRET},
                    "extra_env": {"ADDED": "added", "NUMBER": 5},
                },
                "environment": {"VSPHERE_SERVER": "from-the-task"},
            },
            {TASK: {"secrets": {"password": SECRET}, "force": "{{ no_force }}"}},
            {TASK: {"secrets": {"password": SECRET}, "targets": [SECRET]}},
        ],
        "-vvvv",
        cwd=plays,
        module_defaults={
            "group/hybridcore.packer.packer": {"env": "dev", "workspace": "{{ playbook_dir }}/../workspace"},
            TASK: {"force": "yes", "retries": "0", "timeout": "60"},
        },
        vars={"no_force": "no"},
    )
    assert [answer["changed"] for answer in answers] == [True, True, False]
    assert "is not a target" in answers[2]["msg"]
    assert SECRET not in json.dumps(answers)
    assert seen.read_text().splitlines()[0] == "from-the-task added"
    assert "value own" in output
    assert "secret ***" in output
    assert SECRET not in output
    # The default `force: yes` of the play, a text, holds for the first task alone.
    assert "-force" in answers[0]["results"][0]["command"]
    assert "-force" not in answers[1]["results"][0]["command"]
    assert answers[1]["results"][0]["reasons"] == [
        "configuration: message changed",
        "env ADDED removed",
        "env NUMBER removed",
    ]


def test_secrets_of_any_type_reach_packer_as_hcl(player: Player, space: WorkspaceFolder) -> None:
    space.template(
        TARGET,
        """\
variable "login" {
  type      = map(string)
  sensitive = true
}

variable "ports" {
  type      = list(number)
  sensitive = true
}

variable "really" {
  type      = bool
  sensitive = true
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "shell-local" {
    inline = [
      "test '${var.login["user"]}' = 'a \\"b\\"'",
      "test ${var.ports[1]} = 5678",
      "test ${var.really} = true",
    ]
  }
}
""",
    )
    secrets = {"login": {"user": 'a "b"'}, "ports": [1234, 5678], "really": True}
    ((answer,), _) = player.play([{TASK: {"env": "dev", "workspace": str(space.root), "secrets": secrets}}])
    assert answer["failed"] is False, answer["msg"]


@pytest.mark.parametrize("connection", ["local", "elsewhere"])
def test_a_file_in_the_way_is_told_by_its_name(
    player: Player, space: WorkspaceFolder, connection: str
) -> None:
    space.write("images", "where a folder belongs")
    task = {TASK: {"env": "dev", "workspace": str(space.root)}, "vars": {"ansible_connection": connection}}
    ((answer,), output) = player.play([task], "-vvv")
    assert calls_of_the_module(output) == (1 if connection == "elsewhere" else 0)
    assert answer["failed"] is True
    assert f"{space.root}/images" in answer["msg"]
    assert "Not a directory" in answer["msg"] or "File exists" in answer["msg"]
    assert "[Errno" not in answer["msg"]
    assert answer["error"]["hint"].startswith("look at what is there")


def test_the_workspace_is_found_above_the_playbook(ansible: Ansible, space: WorkspaceFolder) -> None:
    player = Player(ansible, space.root / "playbooks")
    ((answer,), _) = player.play([{TASK: {"env": "dev"}}], cwd=Path("/"))
    assert answer["results"][0]["log_path"].startswith(str(space.root))


def test_another_connection_gets_the_module(player: Player, space: WorkspaceFolder) -> None:
    here = {"env": "dev", "workspace": str(space.root)}
    space.null("linux/null/bad", inline=("echo this is why; exit 1",))
    shipped = {"vars": ELSEWHERE}
    tasks = [
        {TASK: {**here, "targets": [TARGET]}, **shipped, "check_mode": True},
        {TASK: {**here, "secrets": {"password": SECRET}}, **shipped},
        {TASK: {**here, "targets": [TARGET]}, **shipped},
        {TASK: {**here, "no_such_option": 1}, **shipped},
        {TASK: {**here, "targets": ["linux/null/none"]}, **shipped},
        {TASK: {**here, "targets": [TARGET]}},
    ]
    answers, output = player.play(tasks, "-vvvv")
    predicted, built, unchanged, unknown, missing, local = answers
    assert calls_of_the_module(output) == 5
    assert predicted["changed"] is True
    assert predicted["results"][0]["status"] == "built"
    assert [result["status"] for result in built["results"]] == ["failed", "built"]
    assert built["msg"].startswith("1 of 2 images were not built; linux/null/bad: ")
    assert "this is why" in str(built["results"][0]["errors"])
    assert SECRET not in output
    assert unchanged["changed"] is False
    assert "no_such_option" in unknown["msg"]
    assert "there is no folder templates/linux/null/none" in missing["msg"]
    own = ("invocation", "_ansible_no_log")
    assert {key for key in unchanged if key not in own} == {key for key in local if key not in own}
    assert unchanged["results"] == local["results"]
    assert state_of(space)["running"] == {}


def test_another_connection_does_not_show_what_extra_env_holds(
    player: Player, space: WorkspaceFolder
) -> None:
    logged = player.folder / "logged"
    systemd = player.folder / "python" / "systemd"
    systemd.mkdir(parents=True)
    (systemd / "__init__.py").touch()
    (systemd / "daemon.py").write_text("def booted():\n    return True\n")
    (systemd / "journal.py").write_text(JOURNAL.format(file=str(logged)))
    seen = space.root / "seen"
    space.null(TARGET, inline=(f"echo $VSPHERE_PASSWORD $PKR_VAR_password $DEMO > {seen}",))
    space.write(f"templates/{TARGET}/secret.pkr.hcl", 'variable "password" {\n  sensitive = true\n}\n')
    # A value that is no secret is in what the task returns; that must stay as it is.
    extra = {"VSPHERE_PASSWORD": SECRET, "PKR_VAR_password": "another secret", "DEMO": "demo"}
    options = {"env": "dev", "workspace": str(space.root)}
    shipped = {"vars": ELSEWHERE, "environment": {"PYTHONPATH": str(systemd.parent)}}
    tasks = [
        {TASK: {**options, "extra_env": extra}, **shipped},
        {TASK: {**options, "extra_env": extra, "targets": ["linux/null/none"]}, **shipped},
        {TASK: {**options, "extra_env": extra, "no_such_option": 1}, **shipped},
        {TASK: options, **shipped},
    ]
    answers, output = player.play(tasks, "-vvvv")
    assert calls_of_the_module(output) == len(tasks)
    assert [answer["failed"] for answer in answers] == [False, True, True, True]
    assert seen.read_text() == f"{SECRET} another secret demo\n"
    assert answers[0]["results"][0]["target"] == TARGET
    (called,) = logged.read_text().splitlines()
    assert "Invoked with env=dev" in called
    for secret in (SECRET, "another secret"):
        assert secret not in output
        assert secret not in called


def test_lines_are_shown_while_the_task_runs(player: Player, space: WorkspaceFolder) -> None:
    go = space.root / "go"
    space.null(
        inline=(
            "echo first line",
            f"for i in $(seq 3000); do test -e {go} && echo second line && exit 0; sleep 0.02; done; exit 1",
        )
    )
    file = player.write([{TASK: {"env": "dev", "workspace": str(space.root)}}])
    command = [player.ansible.program("ansible-playbook"), str(file)]
    environment = player.ansible.environment({"PYTHONUNBUFFERED": "1"})
    seen = []
    with subprocess.Popen(
        command,
        env=environment,
        cwd=player.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            seen.append(line)
            if "null.demo: first line" in line:
                go.touch()
    text = "".join(seen)
    assert child.returncode == 0, text
    assert (
        text.index("null.demo: first line") < text.index("null.demo: second line") < text.index("PLAY RECAP")
    )
    assert json.loads((player.folder / "answers.json").read_text())[0]["results"][0]["status"] == "built"


def test_lines_of_several_hosts_are_never_torn(player: Player, space: WorkspaceFolder) -> None:
    names = [f"host-{number}" for number in range(4)]
    for name in names:
        space.null(
            f"linux/null/{name}", inline=(f"for i in $(seq 200); do echo {name} $i {'x' * 300} end; done",)
        )
    inventory = player.folder / "hosts"
    inventory.write_text("".join(f"{name} ansible_connection=local\n" for name in names))
    task = {
        TASK: {"env": "dev", "workspace": str(space.root), "targets": ["linux/null/{{ inventory_hostname }}"]}
    }
    file = player.folder / "play.yml"
    file.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    done = player.ansible.playbook(file, "-i", inventory, "-f", "10", cwd=player.folder)
    assert done.returncode == 0, done.stdout
    for name in names:
        shown = [line for line in done.stdout.splitlines() if f"null.{name}: {name} " in line]
        assert shown == [
            f"linux/null/{name}:     null.{name}: {name} {number} {'x' * 300} end" for number in range(1, 201)
        ]
