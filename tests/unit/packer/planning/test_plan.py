"""What has to be built, and why: targets of a stand-in for Packer against what the state remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import pipeline, state, templates
from hybridcore.errors import ConfigError
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning.fingerprint import Digests
from hybridcore.packer.planning.plan import Planned, changed_since, plan
from hybridcore.packer.program.capabilities import probe_workspace
from hybridcore.packer.results import Status
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

ONE, TWO = "linux/null/one", "linux/null/two"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker) -> WorkspaceFolder:
    made = make_workspace()
    made.null(ONE)
    pipeline.render(pipeline.Request(env="dev"), made.open(), write=True)
    return made


def planned_of(space: WorkspaceFolder, *targets: str, rendered: Any = None, **options: Any) -> list[Planned]:
    where = space.open()
    return plan(
        templates.load_all(list(targets) or [ONE], where),
        env="dev",
        workspace=where,
        capabilities=probe_workspace(where),
        options=BuildOptions(**options),
        rendered=rendered,
    )


def remember(space: WorkspaceFolder, planned: Planned, **fields: Any) -> None:
    """Write into the state that an image was built as it was planned."""
    file = space.write(f"images/dev/{planned.template.target}/disk", "x")
    where = space.open()
    files = [{"path": where.relative(file), "size": 1, "sha256": Digests(where).file(file)}]
    with state.transaction(workspace=where) as data:
        data["images"][f"dev/{planned.template.target}"] = {
            "target": planned.template.target,
            "environment": "dev",
            "status": "built",
            "run": "r1",
            "fingerprint": planned.fingerprint,
            "inputs": dict(planned.inputs),
            "artifacts": [{"id": "VM", "builder_id": "x", "files": files}],
            "built_at": "2026-11-22T00:00:00.000Z",
            **fields,
        }


@pytest.fixture
def built(space: WorkspaceFolder) -> WorkspaceFolder:
    remember(space, planned_of(space)[0])
    return space


def test_what_was_never_built_is_to_be_built(space: WorkspaceFolder) -> None:
    (planned,) = planned_of(space)
    assert planned.reasons == ("never built",)
    assert (planned.image, planned.manifest, planned.run_before) == (None, None, None)
    assert set(planned.files["configuration"]) == {"message"}


def test_what_is_unchanged_has_no_reason_and_its_plan_is_the_same_again(built: WorkspaceFolder) -> None:
    (planned,) = planned_of(built)
    assert planned.reasons == ()
    assert planned.run_before == "r1"
    assert planned_of(built)[0].fingerprint == planned.fingerprint
    result = planned.result(Status.UNCHANGED)
    assert (result.target, result.builder, result.status) == (ONE, "source.null.one", Status.UNCHANGED)
    assert (result.fingerprint, result.reasons) == (planned.fingerprint, ())


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        (f"templates/{ONE}/more.pkr.hcl", "locals {\n}\n", f"templates/{ONE} changed"),
        (f"configs/dev/{ONE}.pkrvars.hcl", 'message = "other"\n', "configuration"),
        (f"images/dev/{ONE}/disk", "changed", "disk"),
    ],
)
def test_a_change_is_a_reason_that_names_it(
    built: WorkspaceFolder, path: str, text: str, reason: str
) -> None:
    built.write(path, text)
    (planned,) = planned_of(built)
    assert planned.reasons
    assert any(reason in one for one in planned.reasons), planned.reasons


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        ({"force": True}, ("forced",)),
        ({"max_age": "1m"}, ("older than 1m",)),
        ({"max_age": "5000w"}, ()),
        ({"max_age": "1m", "force": True}, ("older than 1m",)),
    ],
)
def test_a_build_without_a_change(
    built: WorkspaceFolder, options: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    (planned,) = planned_of(built, **options)
    assert planned.reasons == reasons
    assert ("configuration" in planned.files) is bool(reasons)


def test_targets_are_planned_in_their_order_with_the_texts_that_are_given(space: WorkspaceFolder) -> None:
    space.null(TWO)
    found = planned_of(space, TWO, ONE, rendered={TWO: 'message = "given"\n'})
    assert [one.template.target for one in found] == [TWO, ONE]
    assert found[0].rendered.values == {"message": "given"}
    assert found[0].fingerprint != found[1].fingerprint


def test_all_that_is_wrong_is_told_together(space: WorkspaceFolder) -> None:
    space.null(TWO)
    with pytest.raises(ConfigError) as caught:
        planned_of(space, ONE, TWO, secrets={"short": "x"})
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 2
    assert any("'short'" in fault for fault in told)
    (missing,) = [fault for fault in caught.value.faults if "has no configuration" in fault.message]
    assert missing.hint == f"packer-hybrid config render --env dev {TWO}"


def test_inputs_that_are_no_longer_what_was_planned(space: WorkspaceFolder) -> None:
    (planned,) = planned_of(space)
    where = space.open()

    def changed() -> list[str]:
        return changed_since(
            planned, workspace=where, capabilities=probe_workspace(where), digests=Digests(where)
        )

    assert changed() == []
    space.write(f"templates/{ONE}/more.pkr.hcl", "locals {\n}\n")
    (what,) = changed()
    assert "more.pkr.hcl" in what


def test_what_changed_is_told_and_not_that_it_is_old_too(built: WorkspaceFolder) -> None:
    built.write(f"configs/dev/{ONE}.pkrvars.hcl", 'message = "other"\n')
    (planned,) = planned_of(built, max_age="1m", force=True)
    assert not {"older than 1m", "forced"} & set(planned.reasons)
    assert planned.reasons
