"""The tools of the tests themselves: a broken fixture must not make a test pass for the wrong reason."""

from __future__ import annotations

import os
import subprocess

import pytest

pytestmark = pytest.mark.integration


def packer(program, *arguments, cwd, **extra):
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | extra,
    )


def test_the_two_packers_have_the_versions_we_claim(packer_debian, tools, tmp_path):
    assert packer(packer_debian, "version", cwd=tmp_path).stdout.startswith("Packer v1.6.6")
    assert packer(tools.packer, "version", cwd=tmp_path).stdout.startswith("Packer v1.9.4")


def test_external_plugins_are_found_by_packer(tools, tmp_path):
    (tmp_path / "plugins.pkr.hcl").write_text(
        "packer {\n  required_plugins {\n"
        '    qemu = { version = "= 1.0.9", source = "github.com/hashicorp/qemu" }\n'
        '    ansible = { version = "= 1.0.3", source = "github.com/hashicorp/ansible" }\n'
        "  }\n}\n"
    )
    said = packer(tools.packer, "init", ".", cwd=tmp_path, PACKER_PLUGIN_PATH=str(tools.plugins))
    assert said.returncode == 0, said.stdout + said.stderr
    listed = packer(
        tools.packer, "plugins", "required", ".", cwd=tmp_path, PACKER_PLUGIN_PATH=str(tools.plugins)
    )
    assert "packer-plugin-qemu_v1.0.9" in listed.stdout
    assert "packer-plugin-ansible_v1.0.3" in listed.stdout


def test_null_template_builds(any_packer, make_workspace):
    workspace = make_workspace()
    target = workspace.null(message="from the template")
    said = packer(any_packer, "build", ".", cwd=workspace.root / "templates" / target)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "message is from the template" in said.stdout


def test_vsphere_clone_leaves_a_template(any_packer, vcsim, make_workspace):
    workspace = make_workspace()
    name = f"clone-{any_packer.stat().st_size}"
    target = workspace.vsphere_clone(f"linux/vsphere/{name}", vcsim)
    assert name not in vcsim.templates()
    said = packer(any_packer, "build", ".", cwd=workspace.root / "templates" / target)
    assert said.returncode == 0, said.stdout + said.stderr
    assert name in vcsim.templates()


def test_proxmox_clone_runs_against_the_simulator(packer_debian, fakepve, tmp_path):
    (tmp_path / "build.pkr.hcl").write_text(
        f"""
source "proxmox-clone" "clone" {{
  proxmox_url              = "{fakepve.url}"
  username                 = "{fakepve.username}"
  password                 = "{fakepve.password}"
  node                     = "{fakepve.node}"
  insecure_skip_tls_verify = true
  clone_vm                 = "base-debian-12"
  template_name            = "made"
  communicator             = "none"
}}
build {{
  sources = ["source.proxmox-clone.clone"]
}}
"""
    )
    said = packer(packer_debian, "build", ".", cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "A template was created: 9001" in said.stdout


def test_fake_packer_plays_its_part_and_records_the_call(fake_packer, tmp_path):
    fake_packer.answer("build", stdout=b"not utf-8: \xff\n", stderr="oh\n", exit_code=3)
    done = subprocess.run(
        ["packer", "build", "a b"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env=os.environ | {"X": "1"},
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"not utf-8: \xff\n", b"oh\n", 3)
    (call,) = fake_packer.calls_of("build")
    assert call.argv == ["build", "a b"]
    assert call.env["X"] == "1"
    assert call.cwd == str(tmp_path)
    assert subprocess.run(["packer", "version"], capture_output=True, check=True).stdout == b"Packer v1.9.4\n"
