"""What a build names: the manifests that a template has written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import templates
from hybridcore.packer.planning.layout import own_manifests
from hybridcore.packer.planning.rendered import Rendered
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/a"
OUT = 'variable "out" {\n default = env("OUT")\n}\n'
LOCALS = 'locals {\n file = "of/a/local.json"\n}\n'


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ('post-processor "manifest" {}', {"packer-manifest.json"}),
        ('post-processor "manifest" {\n output = "made.json"\n}', {"made.json"}),
        ('post-processor "manifest" {\n output = "${path.root}/out/../made.json"\n}', {"made.json"}),
        ('post-processor "manifest" {\n output = "out/made.json"\n}', {"out/made.json"}),
        ('post-processor "manifest" {\n output = "${var.name}.json"\n}', {"given.json"}),
        ('post-processor "manifest" {\n output = local.file\n}', {"of/a/local.json"}),
        ('post-processor "manifest" {\n output = "${var.out}.json"\n}', {"from-env.json"}),
        ('post-processors {\n post-processor "manifest" {}\n}', {"packer-manifest.json"}),
        ('post-processor "manifest" {\n output = build.name\n}', set()),
        ('post-processor "manifest" {\n output = "/tmp/made.json"\n}', set()),
        ('post-processor "manifest" {\n output = "../made.json"\n}', set()),
        ('post-processor "shell-local" {\n output = "files"\n}', set()),
        ("post-processor {}", set()),
    ],
)
def test_the_manifests_that_a_template_has_written(
    make_workspace: Callable[..., WorkspaceFolder], inside: str, found: set[str]
) -> None:
    space = make_workspace()
    space.null(TARGET)
    space.write(f"templates/{TARGET}/more.pkr.hcl", f"build {{\n{inside}\n}}\n{LOCALS}{OUT}")
    template = templates.load(TARGET, space.open())
    assert own_manifests(template, Rendered('name = "given"\n'), {"OUT": "from-env"}) == found
