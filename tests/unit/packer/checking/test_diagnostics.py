"""What Packer says is wrong, as faults with file and line: recorded from both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore.packer.checking.diagnostics import Diagnostic, parse, to_faults

RECORDINGS = Path(__file__).parents[1] / "recordings"
VERSIONS = ["1.6.6", "1.9.4"]
COMMUNICATOR = (
    "4 error(s) occurred:\n"
    "* An ssh_username must be specified\n"
    '  Note: some builders used to default ssh_username to "root".\n'
    "* a Host must be specified, please reference your communicator documentation\n"
    "* a Username must be specified, please reference your communicator documentation\n"
    "* one authentication method must be specified, please reference your communicator documentation"
)


def recorded(version: str, name: str) -> tuple[Diagnostic, ...]:
    return parse((RECORDINGS / version / f"validate-{name}.txt").read_text(encoding="utf-8"))


def errors(version: str, name: str) -> list[Diagnostic]:
    return [one for one in recorded(version, name) if one.severity == "error"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_value_of_the_wrong_type(version):
    assert errors(version, "broken-vars") == [
        Diagnostic(
            "error",
            "Invalid value for variable: The value for n is not compatible with the variable's type "
            "constraint: a number is required.",
            "/tmp/demo/values.pkrvars.hcl",
            1,
        )
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_builders_refuse(version):
    assert errors(version, "broken-builders") == [
        Diagnostic("error", COMMUNICATOR, "b.pkr.hcl", 5),
        Diagnostic(
            "error",
            "1 error(s) decoding:\n* error decoding 'boot_wait': time: invalid duration \"soon\"",
            "b.pkr.hcl",
            1,
        ),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_template_that_packer_cannot_parse(version):
    (error,) = errors(version, "broken-syntax")
    assert (error.file, error.line) == ("b.pkr.hcl", 2)
    assert error.message == (
        "Invalid expression: Expected the start of an expression, but found an invalid expression token."
    )


def test_plugins():
    (error,) = errors("1.6.6", "plugins")
    assert error == Diagnostic(
        "error",
        'Unsupported block type: Blocks of type "required_plugins" are not expected here.',
        "b.pkr.hcl",
        2,
    )
    (error,) = errors("1.9.4", "plugins")
    assert error.message.startswith("Missing plugins: The following plugins are required")
    assert "* github.com/hashicorp/nope >= 9.0.0" in error.message
    assert (error.file, error.line) == ("", None)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_variable_without_a_value(version):
    (error,) = errors(version, "unset")
    assert error.message.startswith('Unset variable "p": A used variable must be set or have a default value')


@pytest.mark.parametrize("version", VERSIONS)
def test_warnings_are_not_errors(version):
    warnings = [one for one in recorded(version, "broken-vars") if one.severity == "warning"]
    assert len(warnings) == 1
    assert warnings[0].message.startswith("Undefined variable: ")
    assert '"undeclared"' in warnings[0].message


def test_a_text_without_diagnostics():
    assert parse("The configuration is valid.\n") == ()
    assert parse("") == ()


def test_faults_are_sorted_and_told_once_with_the_path_that_users_know():
    found = (
        Diagnostic("error", "second", "b.pkr.hcl", 9),
        Diagnostic("warning", "odd", "b.pkr.hcl", 1),
        Diagnostic("error", "first", "b.pkr.hcl", 2),
        Diagnostic("error", "first", "b.pkr.hcl", 2),
        Diagnostic("error", "nowhere"),
    )
    faults = to_faults(found, "error", lambda name: f"templates/{name}")
    assert [(fault.file, fault.line, fault.message) for fault in faults] == [
        (None, None, "nowhere"),
        ("templates/b.pkr.hcl", 2, "first"),
        ("templates/b.pkr.hcl", 9, "second"),
    ]
