"""The inputs of one target: what comes from sources and from the environment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from contextvars import copy_context
from pathlib import Path

import pytest

from hybridcore import provisioners, templates
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning.fingerprint import Digests
from hybridcore.packer.planning.inputs import gather
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.packer.program.capabilities import Capabilities
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
COMMIT = "0123456789" * 4
OLD = Capabilities(path="/packer", version="1.6.6")
NEW = Capabilities(path="/packer", version="1.9.4", commands=("init",))
REQUIRED = """\
packer {
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = "~> 1.0.0"
    }
  }
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null(TARGET)
    for name in ("ex", "examples", "ex.git"):
        made.write(f"sources/{name}/site.yml", "[]\n")
    return made


def inputs_of(
    space: WorkspaceFolder,
    *,
    config: str = "",
    sources: Mapping[str, Mapping[str, str]] | None = None,
    environ: Mapping[str, str] | None = None,
    secrets: Collection[str] = (),
    extra_env: Mapping[str, str] | None = None,
    packer: Capabilities = OLD,
    installed: Mapping[str, Mapping[str, Path]] | None = None,
) -> dict[str, str]:
    """The inputs of the target, but for the digest of the configuration and Packer's version."""
    where = space.open()
    found = gather(
        templates.load(TARGET, where),
        Rendered(config),
        sources or {},
        workspace=where,
        capabilities=packer,
        installed=installed or {},
        digests=Digests(where),
        environ=environ or {},
        options=BuildOptions(secrets=dict.fromkeys(secrets, ""), extra_env=extra_env or {}),
    )
    assert found.files.keys() <= found.digests.keys()
    return {name: found.digests[name] for name in found.digests.keys() - {"configuration", "packer"}}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def given(inputs: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in inputs.items() if name.startswith("PKR_VAR_")}


def test_a_value_from_the_environment_counts_where_it_reaches_the_template(space: WorkspaceFolder) -> None:
    environ = {"PKR_VAR_message": "environment", "PKR_VAR_other": "not declared"}
    assert given(inputs_of(space, environ=environ)) == {"PKR_VAR_message": sha("environment")}
    # Packer takes the one of the configuration.
    assert given(inputs_of(space, environ=environ, config='message = "file"\n')) == {}


def test_no_digest_of_a_secret_is_an_input_though_its_variable_is_not_marked(space: WorkspaceFolder) -> None:
    environ = {"PKR_VAR_message": "a secret"}
    assert given(inputs_of(space, environ=environ, secrets={"message": "a secret"})) == {}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('"${path.root}/../../../../sources/ex/site.yml"', ["source ex"]),
        ('"sources/ex"', ["source ex"]),
        ('"sources/examples/site.yml"', ["source examples"]),
        ('"sources/ex.git/site.yml"', ["source ex.git"]),
        ('"cd sources/ex && make"', ["source ex"]),
        ('"resources/ex/x"', []),
        ("var.message", ["source ex"]),
    ],
)
def test_a_source_counts_by_its_whole_name(space: WorkspaceFolder, expression: str, found: list[str]) -> None:
    more = f'build {{\n  provisioner "file" {{\n    source = {expression}\n  }}\n}}\n'
    space.write(f"templates/{TARGET}/more.pkr.hcl", more)
    sources = {name: {"url": "u", "sha": COMMIT} for name in ("ex", "examples", "ex.git")}
    config = f'message = "{space.root}/sources/ex/site.yml"\n'
    inputs = inputs_of(space, sources=sources, config=config)
    assert {name: inputs[name] for name in inputs.keys() - {f"templates/{TARGET}"}} == dict.fromkeys(
        found, COMMIT
    )


def test_a_source_without_a_commit_counts_by_its_files(space: WorkspaceFolder) -> None:
    more = 'build {\n  provisioner "file" {\n    source = "../../../../sources/ex/site.yml"\n  }\n}\n'
    space.write(f"templates/{TARGET}/more.pkr.hcl", more)
    inputs = inputs_of(space, sources={"ex": {"url": "u"}})
    assert inputs["sources/ex/site.yml"] == sha("[]\n")
    assert "source ex" not in inputs


def test_a_manifest_of_packer_in_the_targets_folder_is_no_input(space: WorkspaceFolder) -> None:
    post = 'build {\n  post-processor "manifest" {\n    output = "made.json"\n  }\n}\n'
    space.write(f"templates/{TARGET}/more.pkr.hcl", post)
    before = inputs_of(space)
    space.write(f"templates/{TARGET}/made.json", "{}")
    assert inputs_of(space) == before
    space.write(f"templates/{TARGET}/other.json", "{}")
    assert inputs_of(space) != before


def test_a_manifest_whose_name_the_environment_gives_is_no_input(space: WorkspaceFolder) -> None:
    space.write(
        f"templates/{TARGET}/more.pkr.hcl",
        'variable "out" {\n  default = env("OUT")\n}\n'
        'build {\n  post-processor "manifest" {\n    output = var.out\n  }\n}\n',
    )
    before = inputs_of(space, environ={"OUT": "made.json"})
    space.write(f"templates/{TARGET}/made.json", "{}")
    assert inputs_of(space, environ={"OUT": "made.json"}) == before


def test_of_a_required_plugin_the_one_counts_that_is_used(space: WorkspaceFolder, tmp_path: Path) -> None:
    space.write(f"templates/{TARGET}/plugins.pkr.hcl", REQUIRED)

    def plugin(packer: Capabilities, *versions: str) -> dict[str, str]:
        programs = {version: tmp_path / version for version in versions}
        for version, path in programs.items():
            path.write_text(f"program {version}")
        installed = {"github.com/hashicorp/qemu": programs, "github.com/hashicorp/docker": programs}
        found = inputs_of(space, packer=packer, installed=installed)
        assert "plugin github.com/hashicorp/docker" not in found
        return {name: value for name, value in found.items() if name.endswith("hashicorp/qemu")}

    def counts(version: str) -> dict[str, str]:
        source = "github.com/hashicorp/qemu"
        return {f"plugin {source}": version, f"program {source}": sha(f"program {version}")}

    assert plugin(NEW) == {"plugin github.com/hashicorp/qemu": "built in"}
    assert plugin(NEW, "1.0.9", "1.1.0") == counts("1.0.9")  # the template wants ~> 1.0.0
    assert plugin(NEW, "1.0.8", "1.0.9", "1.0.10", "1.1.0") == counts("1.0.10")
    assert plugin(NEW, "1.1.0") == {"plugin github.com/hashicorp/qemu": "built in"}
    assert plugin(OLD, "1.0.9") == {}


@pytest.mark.parametrize("ambient", [True, False])
def test_whether_a_stack_runs_is_read_from_the_rendered_values(space: WorkspaceFolder, ambient: bool) -> None:
    space.write("templates/ansible/site.yml", "[]\n")
    space.write(
        f"templates/{TARGET}/switch.pkr.hcl",
        'variable "enable_ansible" {\n  type    = bool\n  default = false\n}\n',
    )

    def inputs(config: str) -> dict[str, str]:
        provisioners.enable_ansible(ambient)
        return inputs_of(space, config=config)

    assert "templates/ansible" in copy_context().run(inputs, "enable_ansible = true\n")
    assert "templates/ansible" not in copy_context().run(inputs, "enable_ansible = false\n")
    assert "templates/ansible" not in copy_context().run(inputs, "")


def test_where_a_value_comes_from_and_the_order_of_patterns_are_no_inputs(space: WorkspaceFolder) -> None:
    def mark(config: str, only: tuple[str, ...] = ()) -> dict[str, str]:
        return gathered(space, config, BuildOptions(only=only))

    one = mark('# message: environments/dev/all.pkrvars.hcl\n\nmessage = "a"\n', ("b.*", "a.*"))
    assert mark('# message: caller\nmessage = "a"\n', ("a.*", "b.*")) == one
    assert mark('message = "b"\n', ("a.*", "b.*"))["configuration"] != one["configuration"]
    assert mark('message = "a"\n', ("a.*",))["only"] != one["only"]


def gathered(space: WorkspaceFolder, config: str, options: BuildOptions) -> dict[str, str]:
    where = space.open()
    return gather(
        templates.load(TARGET, where),
        Rendered(config),
        {},
        workspace=where,
        capabilities=OLD,
        installed={},
        digests=Digests(where),
        environ={},
        options=options,
    ).digests


def test_what_the_caller_adds_to_the_environment_counts_unless_it_may_be_a_secret(
    space: WorkspaceFolder,
) -> None:
    added = {"MIRROR": "here", "VAULT_TOKEN": "s3cret", "AWS_SECRET_ACCESS_KEY": "s3cret", "PKR_VAR_x": "1"}
    found = inputs_of(space, extra_env=added)
    assert {name for name in found if name.startswith(("env ", "PKR_"))} == {"env MIRROR"}
    assert found["env MIRROR"] == sha("here")


def test_a_name_that_the_template_reads_of_the_environment_counts(space: WorkspaceFolder) -> None:
    space.write(
        f"templates/{TARGET}/release.pkr.hcl", 'variable "release" {\n  default = env("RELEASE")\n}\n'
    )
    assert inputs_of(space, environ={"RELEASE": "12"})["env RELEASE"] == sha("12")
    assert inputs_of(space, environ={})["env RELEASE"] == sha("")


def test_the_mode_of_a_named_file_counts(space: WorkspaceFolder) -> None:
    more = 'build {\n  provisioner "shell-local" {\n    script = "../../../../files/run"\n  }\n}\n'
    space.write(f"templates/{TARGET}/more.pkr.hcl", more)
    space.write("files/run", "#!/bin/sh\n")
    assert inputs_of(space)["files/run"] == sha("#!/bin/sh\n")
    (space.root / "files/run").chmod(0o755)
    assert inputs_of(space)["files/run"] == sha("#!/bin/sh\n") + ":x"
