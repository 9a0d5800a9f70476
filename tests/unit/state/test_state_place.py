import os

import pytest

from hybridcore import state
from hybridcore.state import place

PODMAN = """\
600 500 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l
601 600 0:51 / /proc rw,nosuid - proc proc rw
602 600 254:1 /srv/project /runner/project rw,relatime - xfs /dev/vda1 rw
603 600 0:60 / /runner/project/state rw - tmpfs tmpfs rw
604 600 254:1 /srv/a\\040b /runner/a\\040b rw,relatime shared:4 - ext4 /dev/vda1 rw
605 600 0:61 / /over rw - ext4 /dev/x rw
606 600 0:62 / /over rw - ramfs none rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/x/state", "overlay"),
        ("/runner", "overlay"),
        ("/runner/project", "xfs"),
        ("/runner/project/logs", "xfs"),
        ("/runner/project-two", "overlay"),
        ("/runner/project/state", "tmpfs"),
        ("/runner/a b/state", "ext4"),
        ("/over/state", "ramfs"),
    ],
)
def test_the_deepest_and_latest_mount_counts(folder, kind):
    assert place.mount_type(PODMAN, folder) == kind


def test_no_mount_no_type():
    assert place.mount_type("", "/x") == ""


@pytest.mark.parametrize(
    ("environ", "engine_file", "expected"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"container": "podman"}, False, True),
        ({"container": ""}, False, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False, True),
    ],
)
def test_a_container_is_known_by_what_engines_leave(environ, engine_file, expected):
    assert place.in_container(environ, engine_file) is expected


def type_here(folder):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return place.mount_type(file.read(), os.path.realpath(folder))


def test_the_type_of_a_real_folder_agrees_with_the_kernel():
    assert type_here("/proc/self") == "proc"
    assert type_here("/dev/shm") == "tmpfs"


def in_a_container(monkeypatch, kind):
    monkeypatch.setenv("container", "podman")
    monkeypatch.setattr(place, "mount_type", lambda _text, _folder: kind)


@pytest.mark.parametrize("kind", ["overlay", "tmpfs", "fuse.fuse-overlayfs"])
def test_a_state_that_goes_with_its_container_is_warned_of(workspace, monkeypatch, kind):
    in_a_container(monkeypatch, kind)
    warning = state.durability_warning(workspace)
    assert kind in warning
    assert f"Mount a persistent volume at {workspace.state_dir}" in warning


def test_a_volume_is_not_warned_of(workspace, monkeypatch):
    in_a_container(monkeypatch, "xfs")
    assert state.durability_warning(workspace) == ""


def test_the_private_folder_of_an_awx_job_is_warned_of(workspace, monkeypatch):
    in_a_container(monkeypatch, "xfs")
    monkeypatch.setenv("JOB_ID", "17")
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", f"{workspace.root.parent}/artifacts/17")
    assert "which AWX removes with it" in state.durability_warning(workspace)
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/elsewhere/artifacts/17")
    assert state.durability_warning(workspace) == ""


def test_outside_of_a_container_nothing_is_said(workspace, monkeypatch):
    monkeypatch.delenv("container", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(place, "_ENGINE_FILES", ())
    monkeypatch.setattr(place, "mount_type", lambda _text, _folder: "tmpfs")
    assert state.durability_warning(workspace) == ""
