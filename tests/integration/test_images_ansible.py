"""Versions of images from Ansible: modules in check and diff mode, and the lookup."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.images import PROD, WEB, Shelf
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


class Plays:
    """Runs tasks in a workspace with three versions of an image."""

    def __init__(self, ansible: Ansible, space: WorkspaceFolder) -> None:
        self.ansible, self.space = ansible, space
        self.shelf = Shelf(space.open())
        for _ in range(3):
            self.shelf.build()

    def run(
        self, *tasks: dict[str, Any], arguments: tuple[str, ...] = (), code: int = 0
    ) -> list[dict[str, Any]]:
        """The results of tasks, each a mapping from a module to its options."""
        steps: list[dict[str, Any]] = [
            {**task, "register": f"r{number}"} for number, task in enumerate(tasks)
        ]
        results = "{{ [" + ", ".join(f"r{number}" for number in range(len(tasks))) + "] | to_json }}"
        copy = {"content": results, "dest": "{{ playbook_dir }}/results.json"}
        steps.append({"ansible.builtin.copy": copy, "check_mode": False, "diff": False})
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": steps}]
        self.space.write("play.yml", yaml.safe_dump(play, sort_keys=False))
        done = self.ansible.playbook("play.yml", *arguments, cwd=self.space.root)
        self.said = done.stdout
        assert done.returncode == code, done.stdout
        found: list[dict[str, Any]] = (
            json.loads((self.space.root / "results.json").read_text()) if not code else []
        )
        return found


@pytest.fixture
def plays(ansible: Ansible, make_workspace: Callable[..., WorkspaceFolder]) -> Plays:
    return Plays(ansible, make_workspace())


def channel(image: str, place: str = "", **options: Any) -> dict[str, Any]:
    return {
        "hybridcore.packer.packer_channel": {"image": image, **({"place": place} if place else {}), **options}
    }


def version(image: str, **options: Any) -> dict[str, Any]:
    return {"hybridcore.packer.packer_version": {"image": image, **options}}


def test_the_way_of_a_channel(plays: Plays) -> None:
    found = plays.run(
        channel(f"{WEB}@1", "stable", reason="tests passed"),
        channel(f"{WEB}@1", "stable"),
        channel(f"{WEB}@2", "stable"),
        channel(f"{WEB}@stable", state="rolled_back"),
        channel(f"{WEB}@stable", "prod:live"),
        {"hybridcore.packer.packer_images_info": {"images": [str(WEB), f"{WEB}@stable"]}},
    )
    assert [one["changed"] for one in found] == [True, False, True, True, True, False]
    assert found[0]["moved"][0]["reason"] == "tests passed"
    assert (found[4]["image"], found[4]["version"]) == ("prod:linux/qemu/web", 1)
    (image,), (one,) = found[5]["images"], found[5]["versions"]
    assert image["channels"] == {"latest": 3, "stable": 1}
    assert (one["version"], one["channels"]) == (1, ["stable"])
    assert Path(one["path"]) == plays.shelf.file(WEB, 1)


def test_a_version_is_revoked_labelled_held_and_retired(plays: Plays) -> None:
    found = plays.run(
        version(f"{WEB}@1", revoked=True, reason="bad kernel"),
        version(f"{WEB}@1", revoked=True, reason="bad kernel"),
        version(f"{WEB}@1", revoked=False, labels={"owner": "web"}, held=True, reason="audit"),
        version(f"{WEB}@1", held=False, labels={"owner": None}),
        version(f"{WEB}@1", state="absent"),
        version(f"{WEB}@1", state="absent"),
    )
    assert [one["changed"] for one in found] == [True, False, True, True, True, False]
    assert [one["moved"] for one in found] == [[]] * 6
    assert plays.shelf.known().numbers(WEB) == [3, 2]
    plays.run(version(f"{WEB}@3", state="absent"), code=2)
    assert "cannot be retired: it is wanted" in plays.said
    plays.run(version(f"{WEB}@2", revoked=True), code=2)
    assert "a revocation wants a reason" in plays.said


def test_check_mode_changes_nothing_and_diff_shows_what_it_would(plays: Plays) -> None:
    plays.run(channel(f"{WEB}@1", "stable"))
    before = plays.shelf.workspace.state_file.read_bytes()
    found = plays.run(
        channel(f"{WEB}@2", "stable"),
        version(f"{WEB}@1", revoked=True, reason="bad kernel"),
        version(f"{WEB}@2", state="absent"),
        channel(f"{WEB}@2", "prod:"),
        arguments=("--check", "--diff"),
    )
    assert [one["changed"] for one in found] == [True, True, True, True]
    assert found[0]["diff"] == {"before": {"stable": 1}, "after": {"stable": 2}}
    assert found[1]["diff"]["before"] == {"revoked": None}
    assert plays.shelf.workspace.state_file.read_bytes() == before
    assert '-    "stable": 1' in plays.said
    assert not (plays.space.root / "images/prod").exists()


def test_an_environment_chooses_among_all_images_and_not_among_those_that_are_named(plays: Plays) -> None:
    plays.shelf.build(PROD)
    info = "hybridcore.packer.packer_images_info"
    found = plays.run(
        {info: {}},
        {info: {"env": "prod"}},
        {info: {"env": "nowhere"}},
        {info: {"env": "prod", "images": [str(WEB), f"{WEB}@1"]}},
    )
    listed = [[image["image"] for image in one["images"]] for one in found]
    assert listed == [[str(WEB), str(PROD)], [str(PROD)], [], [str(WEB)]]
    assert found[3]["versions"][0]["image"] == str(WEB)
    plays.run({info: {"env": "no such"}}, code=2)
    assert "'no such' is not the name of an environment" in plays.said


def test_the_lookup_gives_what_is_asked_for(plays: Plays) -> None:
    lookup = "lookup('hybridcore.packer.image', '{}'{})"
    debug = "ansible.builtin.debug"
    found = plays.run(
        {debug: {"msg": "{{ " + lookup.format(f"{WEB}@2", ", want='path'") + " }}"}},
        {debug: {"msg": "{{ " + lookup.format(WEB, "") + " }}"}},
    )
    assert Path(found[0]["msg"]) == plays.shelf.file(WEB, 2)
    assert (found[1]["msg"]["version"], found[1]["msg"]["name"]) == (3, "disk")
    plays.run(version(f"{WEB}@2", revoked=True, reason="bad kernel"))
    plays.run({debug: {"msg": "{{ " + lookup.format(f"{WEB}@2", "") + " }}"}}, code=2)
    assert "bad kernel" in plays.said
