"""The playbook `build_images` and the roles below it on null images: a list, and an inventory."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import state_of
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

PLAYBOOK = "hybridcore.packer.build_images"
# What needs root or a base image is tested elsewhere.
ONLY_BUILD = '{"pipeline_control_node": false, "pipeline_sources": false}'


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for name in ("one", "two"):
        made.null(f"linux/null/{name}", inline=("echo message is ${var.message}",))
    made.null("linux/null/bad", inline=("echo this is why; exit 1",))
    made.write(
        "images.yml",
        """\
all:
  vars:
    ansible_connection: local
  hosts:
    one: {packer_target: linux/null/one}
    two: {packer_target: linux/null/two, packer_vars: {message: own}}
    bad: {packer_target: linux/null/bad}
""",
    )
    return made


def play(ansible: Ansible, space: WorkspaceFolder, *arguments: str) -> tuple[int, str]:
    done = ansible.playbook(
        PLAYBOOK,
        *("-e", ONLY_BUILD, *arguments),
        cwd=space.root,
        env={"HYBRIDCORE_WORKSPACE": str(space.root)},
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def recap(output: str) -> dict[str, dict[str, int]]:
    lines = output.partition("PLAY RECAP")[2].splitlines()[1:]
    return {
        line.split()[0]: {part.split("=")[0]: int(part.split("=")[1]) for part in line.split()[2:]}
        for line in lines
        if " : " in line
    }


def test_a_host_is_an_image(ansible: Ansible, space: WorkspaceFolder) -> None:
    code, output = play(ansible, space, "-i", "images.yml")
    assert code == 2
    hosts = recap(output)
    assert {name: counts["failed"] for name, counts in hosts.items()} == {"one": 0, "two": 0, "bad": 1}
    assert hosts["two"]["changed"] >= 1
    report = output.partition("TASK [Report the images]")[2]
    assert "linux/null/one: built" in report
    assert "this is why" in report
    assert "null.two: message is own" in output
    images = state_of(space)["images"]
    assert images["dev/linux/null/one"]["status"] == "built"
    assert "fingerprint" not in images["dev/linux/null/bad"]
    # Another image alone, and the same two again: nothing to do.
    code, output = play(ansible, space, "-i", "images.yml", "--limit", "one,two")
    assert code == 0
    assert {name: counts["changed"] for name, counts in recap(output).items()} == {"one": 0, "two": 0}
    assert state_of(space)["images"]["dev/linux/null/one"] == images["dev/linux/null/one"]


def test_a_list_of_images(ansible: Ansible, space: WorkspaceFolder) -> None:
    wanted = '{"targets": ["linux/null/one", "linux/null/two"], "packer_vars": {"message": "hi"}}'
    code, output = play(ansible, space, "-e", wanted, "--check")
    assert code == 0, output
    assert "linux/null/one: would be built" in output
    assert state_of(space) == {}
    code, output = play(ansible, space, "-e", wanted)
    assert code == 0, output
    assert list(recap(output)) == ["localhost"]
    assert "null.one: message is hi" in output
    code, output = play(ansible, space, "-e", wanted)
    assert code == 0
    assert recap(output)["localhost"]["changed"] == 0
    assert "linux/null/two: unchanged" in output


BLANK = [
    (),
    ("-e", "targets="),
    ("-e", "targets=' '"),
    ("-e", '{"targets": []}'),
    ("-e", '{"targets": null}'),
]


@pytest.mark.parametrize("arguments", BLANK, ids=str)
def test_nothing_selected_is_a_failure(
    ansible: Ansible, space: WorkspaceFolder, arguments: tuple[str, ...]
) -> None:
    code, output = play(ansible, space, *arguments)
    assert code != 0
    assert "no image is selected: name images in the variable targets, or say all there" in output
    assert state_of(space) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-i", "images.yml", "-e", "image_hosts=none"),
        ("-i", "images.yml", "-e", "image_hosts=two", "--limit", "one"),
        ("-i", "images.yml", "-e", "targets=linux/null/one", "--limit", "one"),
    ],
    ids=str,
)
def test_a_limit_that_leaves_nothing_is_a_failure(
    ansible: Ansible, space: WorkspaceFolder, arguments: tuple[str, ...]
) -> None:
    code, output = play(ansible, space, *arguments)
    assert code != 0
    assert "no image is selected" in output
    assert state_of(space) == {}


@pytest.mark.parametrize(
    "targets", ["linux/null/one, linux/null/two", "linux/null/two linux/null/one\n", "all"]
)
def test_a_text_names_images_and_blank_variables_are_not_given(
    ansible: Ansible, space: WorkspaceFolder, targets: str
) -> None:
    """As a form of AWX gives them."""
    blank = dict.fromkeys(("env", "force", "packer_vars", "packer_secrets", "image_hosts"), "")
    space.null("linux/null/bad")
    code, output = play(ansible, space, "-e", json.dumps({"targets": targets, **blank}))
    assert code == 0, output
    built = {"linux/null/one", "linux/null/two"} | ({"linux/null/bad"} if targets == "all" else set())
    assert {name for name in built if f"{name}: built" in output} == built
    assert set(state_of(space)["images"]) == {f"dev/{name}" for name in built}


def test_with_blank_targets_the_inventory_counts_and_a_limit_from_a_file_chooses(
    ansible: Ansible, space: WorkspaceFolder
) -> None:
    space.write("chosen", "one\n")
    code, output = play(ansible, space, "-i", "images.yml", "-e", "targets=", "--limit", "@chosen")
    assert code == 0, output
    assert list(recap(output)) == ["one"]
    assert set(state_of(space)["images"]) == {"dev/linux/null/one"}


def test_a_host_that_is_no_image_is_named(ansible: Ansible, space: WorkspaceFolder) -> None:
    space.write("more.yml", "all:\n  hosts:\n    server: {}\n    blank: {packer_target: ''}\n")
    code, output = play(ansible, space, "-i", "images.yml", "-i", "more.yml")
    assert code == 2
    assert "These hosts have no packer_target, so they are no images: server, blank." in output
    assert state_of(space) == {}


def test_a_variable_of_a_wrong_type_is_said_in_a_line(ansible: Ansible, space: WorkspaceFolder) -> None:
    """What a role says of its arguments has all that it takes in it."""
    wrong = {"targets": "all", "force": "maybe", "packer_vars": ["a"], "packer_secrets": "hunter2 extra"}
    code, output = play(ansible, space, "-e", json.dumps(wrong))
    assert code == 2
    assert "The variable force is maybe: say true or false." in output
    assert "The variable packer_vars is no dictionary" in output
    assert "The variable packer_secrets is no dictionary" in output
    assert "argument_spec" not in output
    assert "hunter2" not in output
    assert state_of(space) == {}


def test_texts_that_are_dictionaries_and_blank_ones_are_taken(
    ansible: Ansible, space: WorkspaceFolder
) -> None:
    given = {"force": "no", "packer_vars": '{"message": "from a text"}', "packer_secrets": "  "}
    code, output = play(ansible, space, "-e", json.dumps({"targets": "linux/null/one", **given}))
    assert code == 0, output
    assert "from a text" in (space.root / "configs/dev/linux/null/one.pkrvars.hcl").read_text()


def test_wrong_input_fails_every_host_and_builds_nothing(ansible: Ansible, space: WorkspaceFolder) -> None:
    code, output = play(ansible, space, "-i", "images.yml", "-e", "env=../dev")
    assert code != 0
    assert "is not the name of an environment" in output
    assert all(counts["failed"] for counts in recap(output).values())
    code, output = play(ansible, space, "-e", '{"targets": ["linux/null/none"]}')
    assert code != 0
    assert "there is no folder templates/linux/null/none" in output
    assert state_of(space) == {}


def test_the_role_build_alone(ansible: Ansible, space: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(
        f"""\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: hybridcore.packer.build
      vars:
        build_env: dev
        build_workspace: {space.root}
        build_targets: [linux/null/one]
        build_secrets: {{password: correct horse}}
    - ansible.builtin.debug:
        msg: "status {{{{ build_result.results[0].status }}}}"
"""
    )
    done = ansible.playbook("play.yml", "-v", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "status built" in done.stdout
    assert "correct horse" not in done.stdout


@pytest.mark.parametrize("targets", ["linux/qemu/debian-12", "all"])
def test_check_mode_on_a_fresh_clone(
    ansible: Ansible, repository: Path, tmp_path: Path, targets: str
) -> None:
    """The base disk is not there yet: a real run builds it before the image."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", repository, clone], check=True)
    done = ansible.playbook("playbooks/build-images.yml", "--check", "-e", f"targets={targets}", cwd=clone)
    assert done.returncode == 0, done.stdout
    assert "linux/qemu/debian-12: would be built" in done.stdout
    assert "because its parent linux/null/debian-12-base is built anew" in done.stdout
    assert "linux/null/debian-12-base: would be built" in done.stdout
    left = subprocess.run(
        ["git", "-C", clone, "status", "--porcelain", "--ignored"], capture_output=True, text=True, check=True
    )
    assert [line for line in left.stdout.splitlines() if "images/" in line or "configs/" in line] == []
