"""Why an image has to be built: one entry of the state against the inputs of now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import state, templates
from hybridcore.images.known import Known
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning.fingerprint import Digests, digest_of
from hybridcore.packer.planning.reasons import lost_files, reasons
from tests.support.workspaces import WorkspaceFolder

ONE = "linux/null/one"
DISK = f"images/dev/{ONE}/r1/disk"
FILE = {"path": DISK, "size": 4, "sha256": digest_of(b"disk")}
INPUTS = {"packer": "1.9.4"}
BUILT = {
    "target": ONE,
    "environment": "dev",
    "run": "r1",
    "fingerprint": "a" * 64,
    "inputs": INPUTS,
    "artifacts": [{"id": "VM", "files": [FILE]}],
    "built_at": "2020-01-01T00:00:00.000Z",
}
REVOKED = {
    "newest": 1,
    "version": 1,
    "unrecorded": True,
    "revoked": {"1": {"recorded_at": "2026-01-01T00:00:00.000Z", "reason": "a hole"}},
}
FAILED = {"status": "failed", "run": "r0", "at": "2026-01-01T00:00:00.000Z"}


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null(ONE)
    made.write(DISK, "disk")
    return made


def reasons_of(
    space: WorkspaceFolder,
    entry: dict[str, Any] | None,
    *,
    mark: str = "a" * 64,
    inputs: dict[str, str] = INPUTS,
    **options: Any,
) -> list[str]:
    where = space.open()
    data = state.empty()
    if entry is not None:
        data["images"][f"dev/{ONE}"] = entry  # type: ignore[assignment]
    return reasons(
        templates.load(ONE, where),
        "dev",
        Known(where, data),
        mark=mark,
        inputs=inputs,
        files={},
        digests=Digests(where),
        options=BuildOptions(**options),
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, ["never built"]),
        (
            {"target": ONE, "environment": "dev", "last_attempt": FAILED},
            ["never built: the last attempt was failed"],
        ),
        ({**BUILT, "fingerprint": None}, ["its inputs changed while it was built, in run r1"]),
        ({**BUILT, **REVOKED}, ["its version 1 is revoked at 2026-01-01T00:00:00.000Z: a hole"]),
        (BUILT, []),
    ],
)
def test_what_the_state_says_of_an_image_may_be_a_reason(
    space: WorkspaceFolder, entry: dict[str, Any] | None, expected: list[str]
) -> None:
    assert reasons_of(space, entry) == expected


def test_another_fingerprint_names_the_input_or_says_that_there_is_one(space: WorkspaceFolder) -> None:
    assert reasons_of(space, BUILT, mark="b" * 64, inputs={"packer": "1.10.0"}) == ["packer 1.9.4 -> 1.10.0"]
    assert reasons_of(space, BUILT, mark="b" * 64) == ["the inputs changed"]


def test_of_the_ages_that_are_set_the_nearest_counts(space: WorkspaceFolder) -> None:
    space.settings(f'[environments.dev]\nmax_age = "1h"\n[images."{ONE}"]\nmax_age = "2h"\n')
    assert reasons_of(space, BUILT, max_age="3h") == ["older than 3h"]
    assert reasons_of(space, BUILT) == ["older than 2h"]
    space.settings('[environments.dev]\nmax_age = "1h"\n')
    assert reasons_of(space, BUILT) == ["older than 1h"]


def test_a_change_counts_before_a_revocation_and_that_before_the_age(space: WorkspaceFolder) -> None:
    revoked = {**BUILT, **REVOKED}
    assert reasons_of(space, revoked, mark="b" * 64, max_age="1h") == ["the inputs changed"]
    (why,) = reasons_of(space, revoked, max_age="1h")
    assert "revoked" in why


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (FILE, []),
        ({"path": DISK}, []),
        ({**FILE, "size": 5}, [f"{DISK} is not what was built"]),
        ({**FILE, "sha256": "0" * 64}, [f"{DISK} is not what was built"]),
        ({"path": "images/none"}, ["images/none is gone"]),
    ],
)
def test_files_that_are_lost_or_others_are_named(
    space: WorkspaceFolder, file: dict[str, Any], expected: list[str]
) -> None:
    where = space.open()
    entry: Any = {**BUILT, "artifacts": [{"id": "VM", "files": [file]}]}
    assert lost_files(entry, where, Digests(where)) == expected
