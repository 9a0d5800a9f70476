"""Images that start from images: order, waiting, failure, prediction and what is rebuilt."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridcore import state
from hybridcore.errors import ConfigError, TemplatesError
from hybridcore.images.known import Known
from hybridcore.images.names import Image
from hybridcore.packer.info import info
from hybridcore.packer.results import BuildReport
from tests.support.builds import Recorder, build, build_json, hybrid, statuses
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

BASE, WEB, APP = "linux/file/base", "linux/file/web", "linux/file/app"
# Copies what it starts from, and adds a line.
TEMPLATE = """\
variable "from" {{
  type    = string
  default = "/dev/null"
}}

variable "checksum" {{
  type    = string
  default = "none"

  validation {{
    condition     = var.checksum == "none" || regex_replace(var.checksum, "^sha256:[0-9a-f]{{64}}$", "") == ""
    error_message = "The checksum must be one."
  }}
}}

source "file" "{name}" {{
  content = "{line}"
  target  = "output/{name}"
}}

build {{
  sources = ["source.file.{name}"]

  provisioner "shell-local" {{
    inline = [{inline}]
  }}

  post-processor "shell-local" {{
    inline = ["cat ${{var.from}} output/{name} > output/all && mv output/all output/{name}"]
  }}
}}
"""
SETTINGS = """\
[images."linux/file/app"]
parent = {target = "linux/file/web", variables = {from = "path", checksum = "checksum"}}

[images."linux/file/web"]
parent = {target = "linux/file/base", variables = {from = "path", checksum = "checksum"}}
"""


def layer(space: WorkspaceFolder, target: str, line: str = "", *, inline: str = '"true"') -> str:
    name = target.rpartition("/")[2]
    return space.template(target, TEMPLATE.format(name=name, line=line or name, inline=inline))


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for target in (BASE, WEB, APP):
        layer(made, target)
    made.settings(SETTINGS)
    return made


def content(space: WorkspaceFolder, report: BuildReport, target: str) -> str:
    (result,) = (one for one in report.results if one.target == target)
    (artifact,) = result.artifacts
    return (space.root / artifact.files[0].path).read_text()


def reasons(report: BuildReport) -> dict[str, tuple[str, ...]]:
    return {result.target: result.reasons for result in report.results}


def entry(space: WorkspaceFolder, target: str) -> dict[str, Any]:
    found: dict[str, Any] = state.read(workspace=space.open())["images"][f"dev/{target}"]
    return found


def test_a_graph_is_built_in_its_order_by_both_packers(space: WorkspaceFolder, any_packer: Path) -> None:
    space.settings(SETTINGS, packer=any_packer)
    report = build(space)
    assert statuses(report) == {APP: "built", BASE: "built", WEB: "built"}
    assert list(statuses(report)) == [APP, BASE, WEB]  # sorted, since none was named
    assert content(space, report, APP) == "basewebapp"
    ends = {result.target: (result.started_at, result.finished_at) for result in report.results}
    assert ends[BASE][1] <= ends[WEB][0] < ends[WEB][1] <= ends[APP][0]
    assert statuses(build(space)) == {APP: "unchanged", BASE: "unchanged", WEB: "unchanged"}


def test_a_parent_joins_the_batch_and_has_a_row_of_its_own_behind_those_asked_for(
    space: WorkspaceFolder,
) -> None:
    said = build_json(space, APP, WEB)
    assert [one["target"] for one in said["results"]] == [APP, WEB, BASE]
    by_target = {one["target"]: one for one in said["results"]}
    assert by_target[APP]["parent"] == {"target": WEB, "version": 1}
    assert by_target[BASE]["parent"] is None
    # What is told is in no configuration, and in no state.
    path = entry(space, WEB)["artifacts"][0]["files"][0]["path"]
    assert path not in (space.root / f"configs/dev/{APP}.pkrvars.hcl").read_text()
    assert path not in json.dumps(entry(space, APP)["inputs"])
    digest = hashlib.sha256((space.root / path).read_bytes()).hexdigest()
    assert entry(space, APP)["inputs"][f"parent {WEB}"] == f"1 sha256:{digest}"
    record = Known(space.open(), state.read(workspace=space.open())).record(Image("dev", APP), 1)
    assert record["parent"] == {"environment": "dev", "target": WEB, "version": 1, "channel": None}
    found = info(workspace=space.open())
    assert {one["target"]: one["parent"] for one in found["images"]}[WEB] == {
        "target": BASE,
        "version": 1,
    }
    assert {one["target"]: one["parent"] for one in found["targets"]} == {
        APP: {"target": WEB, "channel": None},
        WEB: {"target": BASE, "channel": None},
        BASE: None,
    }


def test_an_edit_in_the_middle_rebuilds_what_stands_on_it_and_check_mode_knows(
    space: WorkspaceFolder,
) -> None:
    build(space)
    layer(space, WEB, "other")
    foreseen = build(space, check=True)
    assert statuses(foreseen) == {APP: "built", BASE: "unchanged", WEB: "built"}
    assert reasons(foreseen)[APP] == (f"its parent {WEB} is built anew",)
    assert reasons(foreseen)[WEB] == (f"templates/{WEB}/build.pkr.hcl changed",)
    done = hybrid(space, "build", "--env", "dev", "--check", APP)
    assert (done.returncode, f"because its parent {WEB} is built anew" in done.stdout) == (5, True)
    report = build(space)
    assert reasons(report) == reasons(foreseen)
    assert content(space, report, APP) == "baseotherapp"
    assert statuses(build(space)) == {APP: "unchanged", BASE: "unchanged", WEB: "unchanged"}


def test_a_new_version_of_a_parent_rebuilds_its_children_later_and_the_reason_says_so(
    space: WorkspaceFolder,
) -> None:
    build(space)
    assert statuses(build(space, BASE, force=True)) == {BASE: "built"}
    report = build(space, APP)
    assert statuses(report) == {APP: "built", BASE: "unchanged", WEB: "built"}
    assert reasons(report)[WEB] == (f"its parent {BASE} has another version: 1 -> 2",)


def test_force_and_patterns_are_for_what_was_asked_for_and_not_for_parents(space: WorkspaceFolder) -> None:
    build(space)
    report = build(space, APP, force=True, only=("*.app",))
    assert statuses(report) == {APP: "built", BASE: "unchanged", WEB: "unchanged"}
    space.write("packer-hybrid.toml", SETTINGS)
    layer(space, BASE, "more")
    assert statuses(build(space, APP, only=("*.app",))) == {APP: "built", BASE: "built", WEB: "built"}


def test_who_waits_for_a_failed_parent_is_not_built_and_says_so_in_one_sentence(
    space: WorkspaceFolder,
) -> None:
    layer(space, WEB, inline='"false"')
    said = build_json(space, code=3)
    found = {one["target"]: (one["status"], one["errors"]) for one in said["results"]}
    assert found[BASE][0] == "built"
    assert found[WEB][0] == "failed"
    assert found[APP] == ("cancelled", [f"not built: its parent {WEB} failed"])
    assert entry(space, APP)["last_attempt"]["error"] == f"not built: its parent {WEB} failed"
    layer(space, WEB)
    report = build(space)
    assert statuses(report) == {APP: "built", BASE: "unchanged", WEB: "built"}


def test_the_failure_of_a_base_reaches_every_level(space: WorkspaceFolder) -> None:
    layer(space, BASE, inline='"false"')
    report = build(space, retries=1, retry_delay=0.01)
    assert statuses(report) == {APP: "cancelled", BASE: "failed", WEB: "cancelled"}
    (app,) = (one for one in report.results if one.target == APP)
    assert app.errors == (f"not built: its parent {WEB} was not built",)


def test_siblings_start_as_soon_as_their_parent_is_there_and_not_one_after_the_other(
    space: WorkspaceFolder,
) -> None:
    """Each waits for the file that the other makes, so they end only if they run at the same time."""
    mine, other = space.root / "mine", space.root / "other"
    names = ("linux/file/one", "linux/file/two")
    for target, made, awaited in ((names[0], mine, other), (names[1], other, mine)):
        wait = f"touch {made}; until test -e {awaited}; do sleep 0.05; done"
        layer(space, target, inline=f'"{wait}"')
    tables = (f'[images."{target}"]\nparent = "{BASE}"\n' for target in names)
    space.settings("".join(tables))
    report = build(space, *names, parallel_builds=2, timeout=60)
    assert statuses(report) == {names[0]: "built", names[1]: "built", BASE: "built"}


def test_one_after_the_other_ends_too(space: WorkspaceFolder) -> None:
    assert set(statuses(build(space, parallel_builds=1)).values()) == {"built"}


WITH_CHANNEL = SETTINGS.replace(
    'target = "linux/file/base"', 'target = "linux/file/base", channel = "stable"'
)


def assign(space: WorkspaceFolder, version: int) -> None:
    """Have the channel `stable` of the base name a version."""
    with state.transaction(workspace=space.open(), command="a test") as data:
        history = data["images"][f"dev/{BASE}"].setdefault("channels", {}).setdefault("stable", [])
        history.append({"how": "promoted", "at": state.timestamp(), "version": version})


def revoke(space: WorkspaceFolder, version: int) -> None:
    with state.transaction(workspace=space.open(), command="a test") as data:
        revoked = data["images"][f"dev/{BASE}"].setdefault("revoked", {})
        revoked[str(version)] = {"recorded_at": state.timestamp(), "reason": "a hole in it"}


def test_with_a_channel_a_parent_never_joins_and_its_version_is_taken(space: WorkspaceFolder) -> None:
    space.settings(WITH_CHANNEL)
    place = "packer-hybrid.toml:4: linux/file/web: its parent linux/file/base"
    with pytest.raises(ConfigError) as caught:
        build(space, APP)
    assert f"{place} was never built (packer-hybrid build --env dev linux/file/base)" in str(caught.value)
    build(space, BASE)
    with pytest.raises(ConfigError) as caught:
        build(space, APP)
    assert f"{place}: dev:linux/file/base has no channel 'stable'" in str(caught.value)
    assign(space, 1)
    assert statuses(build(space, APP)) == {APP: "built", WEB: "built"}
    layer(space, BASE, "newer")
    build(space, BASE)
    assert statuses(build(space, APP)) == {APP: "unchanged", WEB: "unchanged"}
    assign(space, 2)
    report = build(space, APP)
    assert reasons(report)[WEB] == (f"its parent {BASE} has another version: 1 -> 2",)
    assert content(space, report, APP) == "newerwebapp"
    revoke(space, 2)
    report = build(space, APP)
    assert reasons(report)[WEB] == (f"its parent {BASE} has another version: 2 -> 1",)
    assert content(space, report, APP) == "basewebapp"


def test_a_build_on_a_revoked_parent_is_refused_unless_it_is_allowed(space: WorkspaceFolder) -> None:
    space.settings(WITH_CHANNEL)
    build(space, BASE)
    assign(space, 1)
    revoke(space, 1)
    place = (
        "packer-hybrid.toml:4: linux/file/web: its parent linux/file/base: dev:linux/file/base@1 is revoked"
    )
    with pytest.raises(ConfigError) as caught:
        build(space, WEB)
    assert place in str(caught.value)
    done = hybrid(space, "validate", "--env", "dev", WEB)
    assert done.returncode == 0, done.stdout
    assert f"not checked: {WEB}: its parent {BASE}: dev:linux/file/base@1 is revoked" in done.stdout
    assert statuses(build(space, WEB, allow_revoked=True)) == {WEB: "built"}
    known = Known(space.open(), state.read(workspace=space.open()))
    assert (known.record(Image("dev", WEB), 1)["allowed_revoked"] or "").startswith("revoked at ")
    assert known.latest(Image("dev", WEB)) is None  # it descends from what is revoked
    assert statuses(build(space, WEB, allow_revoked=True)) == {WEB: "unchanged"}


def test_what_is_revoked_is_built_again_and_its_children_with_it(space: WorkspaceFolder) -> None:
    build(space, WEB)
    revoke(space, 1)
    report = build(space, WEB)
    assert statuses(report) == {WEB: "built", BASE: "built"}
    assert reasons(report)[BASE][0].startswith("its version 1 is revoked at ")
    known = Known(space.open(), state.read(workspace=space.open()))
    assert [known.latest(Image("dev", target)) for target in (BASE, WEB)] == [2, 2]
    assert statuses(build(space, WEB)) == {WEB: "unchanged", BASE: "unchanged"}


def test_a_revocation_in_the_middle_of_a_build_reaches_what_it_makes(space: WorkspaceFolder) -> None:
    here = f"cd {Path(__file__).parents[2]} && {sys.executable} -m hybridcore --workspace {space.root}"
    build(space, BASE)
    layer(space, WEB, "web", inline=f'"{here} images revoke dev:{BASE}@1 --reason bad"')
    report = build(space, WEB)
    assert statuses(report) == {WEB: "built", BASE: "unchanged"}, report.results[0].errors
    known = Known(space.open(), state.read(workspace=space.open()))
    word = known.revoked(Image("dev", WEB), 1)
    assert word is not None
    assert word.inherited_from == f"dev:{BASE}@1"
    assert not (space.root / "images/dev" / WEB / "latest").is_symlink()


def test_a_parent_that_has_lost_its_file_is_told(space: WorkspaceFolder) -> None:
    space.settings(WITH_CHANNEL)
    build(space, BASE)
    assign(space, 1)
    (space.root / entry(space, BASE)["artifacts"][0]["files"][0]["path"]).unlink()
    with pytest.raises(ConfigError, match="its parent linux/file/base has lost its file images/dev/"):
        build(space, WEB)


def test_a_template_is_not_told_what_its_parent_has_not(space: WorkspaceFolder) -> None:
    space.null("linux/null/bare")
    space.settings(
        '[images."linux/file/web"]\nparent = {target = "linux/null/bare", variables = {from = "path"}}\n'
    )
    report = build(space, WEB)
    assert statuses(report) == {WEB: "failed", "linux/null/bare": "built"}
    assert (
        "packer-hybrid.toml:1: linux/file/web: from: the image of its parent linux/null/bare has no path"
        in (str(report.results[0].errors))
    )


def test_what_a_parent_decides_is_not_set_in_another_place(space: WorkspaceFolder) -> None:
    space.write("environments/dev/all.pkrvars.hcl", 'from = "/dev/null"\n')
    monitor = Recorder()
    report = build(space, monitor=monitor)
    assert content(space, report, WEB) == "baseweb"
    said = [note for note in monitor.notes if "has no effect" in note]
    assert said[0].startswith("warning: environments/dev/all.pkrvars.hcl:1: from has no effect, the parent")
    with pytest.raises(ConfigError, match=f"from: the parent {BASE} of {WEB} decides it"):
        build(space, WEB, values={"from": "/dev/null"})


def test_validate_checks_with_the_parent_that_is_there_and_says_where_none_is(
    space: WorkspaceFolder,
) -> None:
    done = hybrid(space, "validate", "--env", "dev")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        f"not checked: {APP}: its parent {WEB} was never built",
        f"valid: {BASE}",
        f"not checked: {WEB}: its parent {BASE} was never built",
    ]
    build(space)
    done = hybrid(space, "validate", "--env", "dev")
    assert done.stdout.splitlines() == [f"valid: {APP}", f"valid: {BASE}", f"valid: {WEB}"]


def test_explain_shows_the_parent(space: WorkspaceFolder) -> None:
    done = hybrid(space, "explain", "--env", "dev", WEB)
    assert f"parent: {BASE}, none that can be used" in done.stdout, done.stderr
    build(space)
    done = hybrid(space, "explain", "--env", "dev", WEB)
    assert f"parent: {BASE}, version 1" in done.stdout
    assert re.search(rf"parent {BASE} .*the image that it starts from", done.stdout)


def test_a_sensitive_value_that_only_packer_knows_is_asked_for_when_the_child_begins(
    space: WorkspaceFolder, tools: Tools
) -> None:
    """It is made of what the parent gives, which nobody has before."""
    space.settings(SETTINGS, packer=tools.packer)
    text = TEMPLATE.format(name="web", line="web", inline='"echo token is ${local.token}"')
    text += '\nlocal "token" {\n  expression = sha256(file(var.from))\n  sensitive  = true\n}\n'
    space.template(WEB, text)
    monitor = Recorder()
    report = build(space, WEB, monitor=monitor)
    assert statuses(report) == {WEB: "built", BASE: "built"}
    secret = hashlib.sha256(b"base").hexdigest()
    log = (space.root / str(report.results[0].log_path)).read_text()
    assert "token is" in log
    assert secret not in log + monitor.text


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            '[images."linux/file/web"]\nparent = "linux/file/app"\n\n'
            '[images."linux/file/app"]\nparent = "linux/file/web"\n',
            "packer-hybrid.toml:4: targets start from each other in a loop: "
            "linux/file/app -> linux/file/web -> linux/file/app "
            "(take one of the parents out; the others stand in packer-hybrid.toml:1)",
        ),
        (
            '[images."linux/file/web"]\nparent = "linux/file/web"\n',
            "packer-hybrid.toml:1: targets start from each other in a loop: linux/file/web -> linux/file/web",
        ),
        (
            '\n[images."linux/file/web"]\nparent = "linux/file/bse"\n',
            "packer-hybrid.toml:2: linux/file/web: its parent linux/file/bse does not exist",
        ),
        (
            '\n[images."linux/file/web"]\n'
            'parent = {target = "linux/file/base", variables = {form = "path"}}\n',
            "packer-hybrid.toml:2: linux/file/web: parent: the template does not declare the variable 'form' "
            "(one of checksum, from)",
        ),
        (
            '[images."linux/file/web"]\nchecks = "checks/web.yml"\n',
            "packer-hybrid.toml:1: linux/file/web: checks = 'checks/web.yml': it is not there",
        ),
    ],
)
def test_what_cannot_be_is_one_fault_with_its_place(space: WorkspaceFolder, settings: str, says: str) -> None:
    space.settings(settings)
    with pytest.raises(TemplatesError) as caught:
        build(space, WEB)
    assert says in str(caught.value)
    assert not (space.root / "state").exists()
    assert hybrid(space, "build", "--env", "dev", WEB).returncode == 1


def test_a_loop_elsewhere_is_no_fault_of_others(space: WorkspaceFolder) -> None:
    layer(space, "linux/file/other")
    space.settings('[images."linux/file/other"]\nparent = "linux/file/other"\n')
    assert statuses(build(space, WEB)) == {WEB: "built"}
    done = hybrid(space, "graph")
    assert (done.returncode, "in a loop: linux/file/other -> linux/file/other" in done.stderr) == (1, True)
