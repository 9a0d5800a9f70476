"""Which overlays apply to a target, in which order, and how values merge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.config.names import Names
from hybridcore.config.overlays import Overlays, applies, merge, place
from hybridcore.errors import ConfigError, Fault
from hybridcore.hcl import Value
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/qemu/web"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    space = make_workspace()
    for target in (TARGET, "linux/null/db"):
        space.write(f"templates/{target}/x.pkr.hcl", "")
    return space


def overlays(space: WorkspaceFolder, env: str = "dev") -> Overlays:
    return Overlays(env, space.open(), [])


@pytest.mark.parametrize(
    ("folder", "name", "found"),
    [
        ("", "all.pkrvars.hcl", ""),
        ("", "linux.pkrvars.json", "linux"),
        ("", "windows.pkrvars.hcl", ""),
        ("linux", "qemu.pkrvars.hcl.tmpl", "linux/qemu"),
        ("linux", "web.pkrvars.hcl", "linux"),
        ("linux/qemu", "web.pkrvars.hcl", "linux/qemu/web"),
        ("linux/qemu", "db.pkrvars.hcl", "linux/qemu"),
        ("linux/qemu/web", "web.pkrvars.hcl", "linux/qemu/web"),
    ],
)
def test_the_folder_that_a_file_counts_for(
    space: WorkspaceFolder, folder: str, name: str, found: str
) -> None:
    assert place(folder, name, Names(space.open())) == found
    parts = [*folder.split("/"), name] if folder else [name]
    assert applies(parts, TARGET, Names(space.open()))
    assert applies(parts, "linux/null/db", Names(space.open())) is (found in ("", "linux"))


def test_a_target_that_begins_like_another_does_not_get_its_values(space: WorkspaceFolder) -> None:
    space.write("templates/linux/qemu/web-2/x.pkr.hcl", "")
    assert not applies(["linux", "qemu", "web.pkrvars.hcl"], "linux/qemu/web-2", Names(space.open()))


def test_layers_come_from_the_widest_to_the_narrowest(space: WorkspaceFolder) -> None:
    files = [
        f"{scope}/{path}.pkrvars.hcl"
        for scope in ("common", "dev")
        for path in (
            "b",
            "linux",
            "linux/a",
            "linux/qemu",
            "linux/qemu/a",
            "linux/qemu/web",
            "linux/qemu/web/z",
        )
    ]
    for number, file in enumerate(files):
        space.write(f"environments/{file}", f"n = {number}\n")
    space.write("environments/prod/b.pkrvars.hcl", "n = 99\n")
    found = overlays(space).layers(TARGET, {})
    assert [layer["n"].value for layer in found] == list(range(len(files)))
    assert [layer["n"].file for layer in found] == [f"environments/{file}" for file in files]


def test_the_common_environment_is_read_once(space: WorkspaceFolder) -> None:
    space.write("environments/common/a.pkrvars.hcl", "n = 1\n")
    assert len(overlays(space, "common").layers(TARGET, {})) == 1
    assert overlays(space, "common").folders(TARGET) == [
        f"environments/common/{folder}" for folder in ("", "linux/", "linux/qemu/", "linux/qemu/web/")
    ]


def test_templates_of_overlays_have_values_of_their_target(space: WorkspaceFolder) -> None:
    space.write("environments/dev/a.pkrvars.hcl.tmpl", 'n = "${name}-${given}"\n')
    found = overlays(space)
    texts = {t: found.layers(t, {"given": 5})[0]["n"].value for t in (TARGET, "linux/null/db")}
    assert texts == {TARGET: "web-5", "linux/null/db": "db-5"}
    assert "given" in found.used_placeholders


def test_an_environment_that_is_not_there_names_those_that_are(space: WorkspaceFolder) -> None:
    space.write("environments/common/x", "")
    space.write("environments/file", "")
    with pytest.raises(ConfigError, match=r"no environment 'prod': .*environments/prod \(there are: dev\)"):
        overlays(space, "prod")


def test_a_file_that_cannot_be_read_makes_its_targets_incomplete_and_no_others(
    space: WorkspaceFolder,
) -> None:
    space.write("environments/dev/linux/qemu.pkrvars.hcl", "= 1")
    faults: list[Fault] = []
    found = Overlays("dev", space.open(), faults)
    for target in (TARGET, "linux/null/db", TARGET):
        found.layers(target, {})
    assert found.incomplete == {TARGET}
    assert [(fault.file, fault.line) for fault in faults] == [("environments/dev/linux/qemu.pkrvars.hcl", 1)]


values = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)
maps = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(maps, maps, maps)
def test_merging_keeps_what_is_not_named_and_changes_no_input(
    one: dict[str, Value], two: dict[str, Value], three: dict[str, Value]
) -> None:
    before = repr((one, two, three))
    assert merge(one, one) == one
    assert merge(one, {}) == merge({}, one) == one
    merged = merge(one, two)
    assert isinstance(merged, dict)
    assert set(merged) == {*one, *two}
    assert all(merged[name] == one[name] for name in one if name not in two)
    assert all(merged[name] == two[name] for name in two if not isinstance(two[name], dict))
    assert merge(merged, two) == merged
    merge(merged, three)
    assert repr((one, two, three)) == before


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {"b": None}}),
    ],
)
def test_maps_merge_and_all_else_replaces(lower: Value, upper: Value, merged: Value) -> None:
    assert merge(lower, upper) == merged
