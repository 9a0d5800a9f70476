"""The options of a build: what adapters take is made from the table, and what people read agrees with it."""

from __future__ import annotations

import importlib
from dataclasses import field, make_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from hybridcore import cli
from hybridcore.packer import options
from hybridcore.packer.building.batch import check_options
from hybridcore.packer.options import BuildOptions, OnError, Option
from tests.support.documents import module_options

ADAPTER = "ansible_collections.hybridcore.packer.plugins.module_utils._packer_build"
MODULE = "plugins/modules/packer_build.py"
# Options of the module, and so of the roles, that say what is built, not how.
WHAT = {"env", "targets", "vars", "provisioners", "workspace"}
# Those of a role alone.
OWN = {
    "build": {"report_only"},
    "pipeline": {"control_node", "sources", "verify", "verify_targets"},
}


@pytest.fixture
def adapter(collections_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the module and the action plugin share, imported as Ansible does it."""
    monkeypatch.syspath_prepend(str(collections_path))
    return importlib.import_module(ADAPTER)


def of_role(repository: Path, role: str) -> dict[str, dict[str, Any]]:
    """The options of a role, without its name in front."""
    text = (repository / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return {name.removeprefix(f"{role}_"): value for name, value in found.items()}


def handed_on(repository: Path, role: str, taker: str) -> dict[str, str]:
    """What a role gives to a module or to another role, by the name there without a role's name in front."""
    text = (repository / "roles" / role / "tasks" / "main.yml").read_text(encoding="utf-8")
    for task in yaml.safe_load(text):
        if taker in task:
            return task[taker]
        if task.get("ansible.builtin.import_role", {}).get("name") == taker:
            prefix = taker.rpartition(".")[2]
            return {name.removeprefix(f"{prefix}_"): value for name, value in task["vars"].items()}
    raise AssertionError(f"roles/{role} has no task with {taker}")


def wrong(repository: Path, spec: dict[str, dict[str, Any]]) -> list[str]:
    """What the documents lack or say otherwise than the argument spec, each as ``file: option: what``."""
    found = []

    def compare(file: str, there: dict[str, Any], name: str, keys: tuple[str, ...]) -> None:
        if name not in there:
            found.append(f"{file}: {name}: is missing")
            return
        for key in keys:
            if there[name].get(key) != spec[name].get(key):
                found.append(f"{file}: {name}: {key} is not {spec[name].get(key)!r}")
        if not there[name].get("description"):
            found.append(f"{file}: {name}: no description")

    names = [option for option in spec if option not in WHAT]
    module = module_options(MODULE)
    roles = {role: of_role(repository, role) for role in OWN}
    for name in names:
        compare(MODULE, module, name, ("type", "elements", "choices", "default"))
    found += [f"{MODULE}: {name}: is no option" for name in module.keys() - spec.keys() - {"workspace"}]
    for role, there in roles.items():
        file = f"roles/{role}/meta/argument_specs.yml"
        for name in names:
            compare(file, there, name, ("type", "elements", "choices", "no_log"))
            if "default" in there.get(name, {}):
                found.append(f"{file}: {name}: a default of its own, so that module_defaults would not hold")
        unknown = there.keys() - set(names) - WHAT - OWN[role]
        found += [f"{file}: {name}: is no option" for name in unknown]
        taker = "hybridcore.packer.packer_build" if role == "build" else "hybridcore.packer.build"
        given = handed_on(repository, role, taker)
        for name in names:
            if given.get(name) != f"{{{{ {role}_{name} | default(omit) }}}}":
                found.append(
                    f"roles/{role}/tasks/main.yml: {name}: is not handed on as it is, if it is given"
                )
    return found


def test_what_people_read_agrees_with_the_table(repository: Path, adapter: ModuleType) -> None:
    assert adapter.spec() == adapter.SPEC
    assert {option.name for option in options.table()} | WHAT == set(adapter.SPEC)
    assert wrong(repository, adapter.SPEC) == []


def test_a_new_option_is_one_field_and_five_files_that_are_named(
    repository: Path, adapter: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = options._about("how hot it may get", metavar="DEGREES")
    for module in (options, adapter.options):
        more = make_dataclass(
            "More",
            [("max_heat", int, field(default=40, metadata=about))],
            bases=(module.BuildOptions,),
            frozen=True,
        )
        monkeypatch.setattr(module, "BuildOptions", more)

    taken = cli.parser().parse_args(["build", "--env", "dev", "--max-heat", "3"])
    assert taken.max_heat == 3
    assert options.made_from({"max_heat": 3}).max_heat == 3
    assert options.made_from({}).max_heat == 40

    spec = adapter.spec()
    assert spec["max_heat"] == {"type": "int", "default": 40}
    assert wrong(repository, spec) == [
        f"{MODULE}: max_heat: is missing",
        "roles/build/meta/argument_specs.yml: max_heat: is missing",
        "roles/build/tasks/main.yml: max_heat: is not handed on as it is, if it is given",
        "roles/pipeline/meta/argument_specs.yml: max_heat: is missing",
        "roles/pipeline/tasks/main.yml: max_heat: is not handed on as it is, if it is given",
    ]


@pytest.mark.parametrize("one", options.table(), ids=lambda one: one.name)
def test_each_option_is_whole(one: Option) -> None:
    assert one.help
    takes_a_value = one.kind is not bool and not one.choices
    assert bool(one.metavar) == takes_a_value
    assert one.flag.startswith("--")
    assert BuildOptions.__doc__ is not None
    assert f"        {one.field}: " in BuildOptions.__doc__


def test_values_of_an_adapter_get_the_types_of_the_fields() -> None:
    made = options.made_from(
        {"only": ["a"], "except": ["b"], "on_error": "abort", "retries": 2, "env": "dev"}
    )
    assert made == BuildOptions(only=("a",), except_=("b",), on_error=OnError.ABORT, retries=2)
    assert type(made.on_error) is OnError
    assert options.made_from({}) == BuildOptions()
    check_options(made)
