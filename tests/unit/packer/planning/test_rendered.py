"""The rendered values of a target: parsed, told apart by digests, and with the defaults of the template."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import templates
from hybridcore.errors import HclError
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.templates import Template
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/a"
MORE = """\
variable "cpus" {
  type    = number
  default = 2
}
variable "needed" {}
variable "home" {
  default = env("HOME")
}
"""


@pytest.fixture
def template(make_workspace: Callable[..., WorkspaceFolder]) -> Template:
    space = make_workspace()
    space.null(TARGET)
    space.write(f"templates/{TARGET}/more.pkr.hcl", MORE)
    return templates.load(TARGET, space.open())


def test_only_constants_have_a_value_and_all_have_an_attribute() -> None:
    rendered = Rendered('a = 1\nb = [true, "x"]\nc = env("HOME")\n')
    assert rendered.values == {"a": 1, "b": [True, "x"]}
    assert sorted(rendered.attributes) == ["a", "b", "c"]
    assert Rendered("").values == {}


def test_a_text_that_is_no_hcl_is_an_error_when_it_is_looked_at() -> None:
    with pytest.raises(HclError):
        Rendered("a = [").values  # noqa: B018


def test_the_digest_of_a_value_follows_its_expression_alone() -> None:
    before = Rendered('a = 1\nb = "x"\n').digests()
    after = Rendered('# moved\nb   =   "x"\n\na = 2\n').digests()
    assert before["b"] == after["b"]
    assert before["a"] != after["a"]
    assert len(before["a"]) == 64


def test_the_digests_for_an_image_are_of_what_it_uses_and_sorted(
    make_workspace: Callable[..., WorkspaceFolder],
) -> None:
    space = make_workspace("shared")
    variables = "".join(f'variable "{name}" {{\n  default = ""\n}}\n' for name in ("z", "b", "other"))
    sources = "".join(
        f'source "null" "{name}" {{\n  communicator = "none"\n  ssh_host = "${{{uses}}}"\n}}\n'
        for name, uses in (("one", "var.z}${var.b"), ("two", "var.other"))
    )
    build = 'build {\n  sources = ["source.null.one", "source.null.two"]\n}\n'
    space.write("shared/build.pkr.hcl", variables + sources + build)
    space.settings('[images."linux/null/one"]\ntemplate = "shared"\nonly = "null.one"\n')
    template = templates.load("linux/null/one", space.open())
    found = Rendered('z = "1"\nother = "2"\nb = "3"\n').digests_for(template)
    assert list(found) == ["b", "z"]


def test_the_values_of_a_template_are_its_defaults_and_what_is_rendered(template: Template) -> None:
    values = Rendered('message = "given"\nextra = 1\n').values_for(template)
    assert values == {"message": "given", "cpus": 2, "extra": 1}
    assert Rendered("").values_for(template) == {"message": "hello", "cpus": 2}
