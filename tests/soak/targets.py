"""The 50 targets of the soak test: quick and slow ones of each kind, with inputs that can be changed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.simulators import Vcsim
    from tests.support.workspaces import WorkspaceFolder

LINES = 20  # that each build prints
PADDING = "=" * 150

_HEAD = """\
variable "message" {
  type    = string
  default = "hello"
}
"""
_NULL = (
    _HEAD
    + """
source "null" "@NAME@" {
  communicator = "none"
}

build {
  sources = ["source.null.@NAME@"]

  provisioner "shell-local" {
    inline = [@INLINE@]
  }
}
"""
)
_FILE = (
    _HEAD
    + """
source "file" "@NAME@" {
  content = "${var.message} of @NAME@"
  target  = "output/image.txt"
}

build {
  sources = ["source.file.@NAME@"]

  post-processor "shell-local" {
    inline = [@INLINE@]
  }
}
"""
)
_READING = """
source "file" "@NAME@" {
  content = file("${path.root}/text.txt")
  target  = "output/image.txt"
}

build {
  sources = ["source.file.@NAME@"]

  provisioner "shell-local" {
    inline = [@INLINE@]
  }
}
"""
_VSPHERE = (
    _HEAD
    + """
variable "hybridcore_build_time" {
  type    = string
  default = ""
}

source "vsphere-clone" "@NAME@" {
  vcenter_server      = "@SERVER@"
  username            = "@USER@"
  password            = "@PASSWORD@"
  insecure_connection = true
  datacenter          = "DC0"
  host                = "DC0_H0"
  datastore           = "LocalDS_0"
  template            = "DC0_H0_VM0"
  vm_name             = "@NAME@-${replace(var.hybridcore_build_time, ":", "-")}"
  communicator        = "none"
  convert_to_template = true
}

build {
  sources = ["source.vsphere-clone.@NAME@"]

  post-processor "shell-local" {
    inline = [@INLINE@]
  }
}
"""
)


class Targets:
    """Makes the targets, and changes them."""

    SETTINGS = "[state]\nhistory = 100000\n\n[logs]\nkeep_builds = 100000\n\n[build]\nkeep_images = 2\n"

    def __init__(self, space: WorkspaceFolder, vcsim: Vcsim, rng: random.Random) -> None:
        self._space = space
        self._version = 0
        self.names: list[str] = []
        self.many = [space.null(f"linux/null/many-{number:03}") for number in range(200)]
        self.reading = [self._reading(f"reading-{number}", rng) for number in range(6)]
        server = {"@SERVER@": vcsim.server, "@USER@": vcsim.username, "@PASSWORD@": vcsim.password}
        for platform, text, count in (("null", _NULL, 20), ("file", _FILE, 15), ("vsphere", _VSPHERE, 15)):
            for number in range(count):
                name = f"{platform}-{number:02}"
                words = {**server, "@NAME@": name, "@INLINE@": self._inline(name, rng.choice([0, 0.01, 0.1]))}
                filled = text
                for word, value in words.items():
                    filled = filled.replace(word, value)
                self.names.append(space.template(f"linux/{platform}/{name}", filled))

    def _reading(self, name: str, rng: random.Random) -> str:
        """A target whose image is a copy of a file in its folder."""
        text = _READING.replace("@NAME@", name).replace("@INLINE@", self._inline(name, rng.choice([0, 0.02])))
        target = self._space.template(f"linux/file/{name}", text)
        self.write_text(target)
        return target

    def write_text(self, target: str) -> None:
        """Change the file that the image of such a target is a copy of."""
        self._version += 1
        self._space.write(f"templates/{target}/text.txt", f"text {self._version}\n")

    def has_its_text(self, target: str) -> bool:
        """Whether the newest image of such a target is a copy of the file as it is now."""
        image = self._space.root / "images" / "dev" / target / "latest" / "image.txt"
        return image.read_bytes() == (self._space.root / "templates" / target / "text.txt").read_bytes()

    def _inline(self, name: str, pause: float) -> str:
        """Shell lines that print numbered lines, with a pause after each, and then fail if told to."""
        wait = f" sleep {pause};" if pause else ""
        lines = (
            f"for i in $(seq {LINES}); do echo soak {name} line $i of {LINES} {PADDING}.;{wait} done",
            f"test ! -e {self._flag(name)}",
        )
        return ", ".join(f'"{line}"' for line in lines)

    def _flag(self, name: str) -> str:
        return str(self._space.root / f"fail-{name}")

    def change(self, target: str) -> None:
        """Change an input of a target: its value in an overlay, or its folder, in turn."""
        self._version += 1
        name = target.rsplit("/", 1)[-1]
        if self._version % 2:
            text = f'message = "version {self._version}"\n'
            self._space.write(f"environments/dev/{target}.pkrvars.hcl", text)
        else:
            self._space.write(f"templates/{target}/files/{name}.txt", f"version {self._version}\n")

    def toggle_failure(self, target: str) -> None:
        """Let the builds of a target fail, or succeed again."""
        flag = self._space.root / f"fail-{target.rsplit('/', 1)[-1]}"
        if flag.exists():
            flag.unlink()
        else:
            flag.touch()

    def fails(self, target: str) -> bool:
        """Whether the builds of a target fail now."""
        return (self._space.root / f"fail-{target.rsplit('/', 1)[-1]}").exists()
