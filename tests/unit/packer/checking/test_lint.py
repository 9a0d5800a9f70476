"""Our own look at a template: a sensitive variable must not reach a command line."""

from __future__ import annotations

import pytest

from hybridcore import templates
from hybridcore.packer.checking.lint import check_template

HEAD = """\
variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2-of-the-template"
}

variable "password-hint" {
  type    = string
  default = "none"
}

variable "user" {
  type    = string
  default = "root"
}

source "null" "demo" {
  communicator = "none"
}
"""


@pytest.fixture
def faults_of(make_workspace):
    folder = make_workspace()

    def check(body: str):
        folder.template("linux/null/demo", HEAD + body)
        workspace = folder.open()
        return check_template(templates.load("linux/null/demo", workspace), workspace)

    return check


def build(provisioner: str, extra: str = "") -> str:
    return f'{extra}\nbuild {{\n  sources = ["source.null.demo"]\n\n{provisioner}\n}}\n'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment_vars", '["P=${var.password}"]'),
        ("extra_arguments", '["-e", "p=${var.password}"]'),
        ("extra_arguments", 'concat(["-e"], [var.password])'),
        ("inline", '["echo ${var.password} | chpasswd"]'),
        ("ansible_env_vars", '["P=${var.password}"]'),
        ("execute_command", '"echo ${var.password} | sudo -S {{.Path}}"'),
    ],
)
def test_a_secret_on_a_command_line_is_found_with_file_and_line(faults_of, name, value):
    text = build(f'  provisioner "shell" {{\n    {name} = {value}\n  }}')
    (fault,) = faults_of(text)
    assert fault.message == f"the provisioner 'shell' puts the sensitive variable 'password' into {name}"
    assert fault.file.startswith("templates/linux/null/demo/")
    assert fault.file.endswith(".pkr.hcl")
    assert fault.line == (HEAD + text).splitlines().index(f"    {name} = {value}") + 1
    assert "PKR_VAR_password" in fault.hint
    assert "hunter2" not in str(fault)


def test_a_local_made_of_a_secret_is_one_too(faults_of):
    locals_ = 'locals {\n  again = "${local.login}!"\n  login = "${var.user}:${var.password}"\n}\n'
    text = build('  provisioner "shell" {\n    inline = [local.again]\n  }', locals_)
    (fault,) = faults_of(text)
    assert "'again'" in fault.message
    assert "PKR_VAR_password" in fault.hint


def test_post_processors_are_looked_at_too(faults_of):
    text = build('  post-processor "shell-local" {\n    environment_vars = ["P=${var.password}"]\n  }')
    assert "post-processor 'shell-local'" in faults_of(text)[0].message


@pytest.mark.parametrize(
    "provisioner",
    [
        '  provisioner "shell" {\n    environment_vars = ["U=${var.user}", "H=${var.password-hint}"]\n  }',
        '  provisioner "shell" {\n    inline = ["echo \\"$PKR_VAR_password\\""]\n  }',
        '  provisioner "ansible" {\n    playbook_file = "site.yml"\n    user = var.user\n  }',
        "",
    ],
)
def test_what_shows_no_secret_is_left_alone(faults_of, provisioner):
    assert faults_of(build(provisioner)) == ()
