"""What is known of a template's values before Packer runs, and what reading them has touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from hybridcore import templates
from hybridcore.hcl import NotEvaluable, loads
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.packer.planning.scope import Scope
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/a"
MakeScope = Callable[..., Scope]


@pytest.fixture
def make_scope(make_workspace: Callable[..., WorkspaceFolder]) -> MakeScope:
    space = make_workspace()
    space.null(TARGET)
    space.write(f"templates/{TARGET}/files/one.txt", "first\n")
    space.write(f"templates/{TARGET}/files/.hidden", "")
    space.write(f"templates/{TARGET}/files/below/two.txt", "")

    def make(more: str = "", config: str = "", environ: Mapping[str, str] | None = None) -> Scope:
        space.write(f"templates/{TARGET}/more.pkr.hcl", more)
        return Scope(templates.load(TARGET, space.open()), Rendered(config), environ or {})

    return make


def value(scope: Scope, expression: str) -> object:
    return scope.compute(loads(f"x = {expression}\n").attributes["x"].node)


VARIABLES = """\
variable "needed" {}
variable "cpus" {
  type    = number
  default = 2
}
variable "home" {
  default = env("HOME")
}
"""


@pytest.mark.parametrize(
    ("config", "environ", "known"),
    [
        ("", {}, {"message": "hello", "cpus": 2, "home": ""}),
        ("cpus = 3", {"PKR_VAR_cpus": "4", "HOME": "/h"}, {"message": "hello", "cpus": 3, "home": "/h"}),
        ('needed = env("X")', {"PKR_VAR_needed": "x"}, {"message": "hello", "cpus": 2, "home": ""}),
        (
            "",
            {"PKR_VAR_cpus": "4", "PKR_VAR_message": "[1]", "PKR_VAR_needed": "no hcl at all"},
            {"message": "[1]", "cpus": 4, "home": "", "needed": "no hcl at all"},
        ),
    ],
)
def test_variables_are_rendered_or_of_the_environment_or_a_default(
    make_scope: MakeScope, config: str, environ: dict[str, str], known: dict[str, object]
) -> None:
    assert make_scope(VARIABLES, config, environ).values["var"] == known


def test_locals_are_known_in_whatever_order_as_far_as_they_can_be(make_scope: MakeScope) -> None:
    scope = make_scope(
        'locals {\n  c = "${local.b}!"\n  b = upper(local.a)\n  a = var.message\n'
        "  unknown = uuidv4()\n  of_it = local.unknown\n  circle = local.circle\n}\n"
    )
    assert scope.values["local"] == {"a": "hello", "b": "HELLO", "c": "HELLO!"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('file("files/one.txt")', "first\n"),
        ('chomp(file("${path.root}/files/one.txt"))', "first"),
        ('fileexists("files/none")', False),
        ('fileset("files", "**")', [".hidden", "below/two.txt", "one.txt"]),
        ('fileset("files", "*.txt")', ["one.txt"]),
        ('basename("a/b.iso")', "b.iso"),
        ('dirname("b.iso")', "."),
        ('formatlist("%s-%s", ["a", "b"], "c")', ["a-c", "b-c"]),
        ('formatlist("%s", "a")', ["a"]),
        ('jsondecode("{\\"a\\": [1]}")', {"a": [1]}),
        ('sort(["b", "a"])', ["a", "b"]),
        ('reverse(["b", "a"])', ["a", "b"]),
        ('compact(["", "a"])', ["a"]),
        ('setunion(["a"], ["b"])', ["a", "b"]),
        ("toset([1])", [1]),
    ],
)
def test_functions_that_only_packer_has_otherwise(
    make_scope: MakeScope, expression: str, expected: object
) -> None:
    assert value(make_scope(), expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        'file("none")',
        'file("a\\u0000b")',
        'fileset("a\\u0000b", "*")',
        'jsondecode("{")',
        "sort(5)",
        "build.name",
        "basename([])",
        "basename()",
        "formatlist()",
        'formatlist("%s%s", ["a"], ["b", "c"])',
    ],
)
def test_what_cannot_be_known_is_refused_without_a_traceback(make_scope: MakeScope, expression: str) -> None:
    with pytest.raises(NotEvaluable):
        value(make_scope(), expression)


def test_what_was_read_is_kept(make_scope: MakeScope) -> None:
    scope = make_scope('locals {\n  a = file("files/one.txt")\n  b = env("LOCAL")\n}\n')
    for expression in ('file("none")', 'fileexists("files/one.txt")', 'env("DIRECT")'):
        try:
            value(scope, expression)
        except NotEvaluable:
            continue
    value(scope, 'fileset("files", "o*")')
    root = scope.values["path"]["root"]
    assert scope.read_files == ["files/one.txt", "none", f"{root}/files/one.txt"]
    assert scope.read_names == {"LOCAL", "DIRECT"}


def test_the_environment_of_what_is_sensitive_is_not_kept(make_scope: MakeScope) -> None:
    scope = make_scope(
        'variable "a" {\n  default   = env("VARIABLE")\n  sensitive = true\n}\n'
        'local "b" {\n  expression = env("LOCAL")\n  sensitive  = true\n}\n'
        'locals {\n  c = env("PLAIN")\n}\n',
        environ={"VARIABLE": "1", "LOCAL": "2"},
    )
    assert scope.values["var"]["a"] == "1"
    assert scope.values["local"]["b"] == "2"
    assert scope.read_names == {"PLAIN"}
    assert scope.secret is False


def test_the_variables_of_a_loop_are_seen_and_functions_are_known_by_name(make_scope: MakeScope) -> None:
    scope = make_scope()
    node = loads("x = each.value\n").attributes["x"].node
    assert scope.compute(node, {"each": {"value": 5}}) == 5
    assert (scope.knows("file"), scope.knows("upper"), scope.knows("uuidv4")) == (True, True, False)
