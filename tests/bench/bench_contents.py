"""The contents of 750 packages out of dpkg's status, and out again, against reading the file as text."""

from __future__ import annotations

import tempfile
from pathlib import Path

from measure import emit, in_turn

from hybridcore.images import contents

PACKAGES = 750
ROUNDS = 31
# About as long as a paragraph of a real one is.
PARAGRAPH = """\
Package: lib{number}
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 1234
Maintainer: Some Maintainers <maintainers@example.org>
Architecture: amd64
Multi-Arch: same
Source: source{number} (1:2.{number}-1)
Version: 1:2.{number}-1+b1
Depends: {depends}
Description: a library with a number
{description}Homepage: https://example.org/

"""


def status() -> str:
    """A status file of 750 packages, 0.9 kB each."""
    depends = ", ".join(f"libdependency{number} (>= 1.{number})" for number in range(9))
    description = " a line of the long description, as packages have some of them\n" * 5
    return "".join(
        PARAGRAPH.format(number=number, depends=depends, description=description)
        for number in range(PACKAGES)
    )


def main() -> None:
    """Print the row."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "status")
        file.write_text(status(), encoding="utf-8")

        def ours() -> None:
            contents.to_cyclonedx(contents.from_dpkg(file.read_text(encoding="utf-8")))

        def theirs() -> None:
            file.read_text(encoding="utf-8")

        times = in_turn(ours, theirs, rounds=ROUNDS)
        emit(f"contents of {PACKAGES} packages, {file.stat().st_size:,} bytes; reading it", *times, "<= 20")


if __name__ == "__main__":
    main()
