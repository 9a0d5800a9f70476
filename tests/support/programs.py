"""Stand-in programs: each plays a part that the test wrote and records how it was called."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

# Runs without site packages, so that a call takes some 15 ms.
# An answer belongs to the whole of the arguments, or else to the first word of them.
_SCRIPT = """\
#!{python} -IS
import json, os, sys
arguments = sys.argv[1:]
call = {{"argv": arguments, "env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid()}}
with open({calls!r}, "ab", buffering=0) as file:
    file.write(json.dumps(call).encode() + b"\\n")
with open({answers!r}, encoding="utf-8") as file:
    answers = json.load(file)
first = arguments[0] if arguments else ""
answer = answers.get(" ".join(arguments)) or answers.get(first, answers[""])
sys.stdout.buffer.write(answer["stdout"].encode("utf-8", "surrogateescape"))
sys.stdout.flush()
sys.stderr.buffer.write(answer["stderr"].encode("utf-8", "surrogateescape"))
sys.stderr.flush()
exec(answer["code"])
sys.exit(answer["exit_code"])
"""


@dataclass(frozen=True)
class Call:
    """One call of a stand-in program.

    Attributes:
        argv: its arguments, without the program's own name.
        env: its environment.
        cwd: the folder it ran in.
        pid: its process id.
    """

    argv: list[str]
    env: dict[str, str]
    cwd: str
    pid: int


class FakeProgram:
    """A program in a folder of PATH; without an answer it prints nothing and succeeds."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        self._calls = folder / f"{name}.calls.jsonl"
        self._answers = folder / f"{name}.answers.json"
        self._parts: dict[str, dict[str, str | int]] = {}
        self.answer("")
        self.path.write_text(
            _SCRIPT.format(python=sys.executable, calls=str(self._calls), answers=str(self._answers)),
            encoding="utf-8",
        )
        self.path.chmod(0o755)

    def answer(
        self,
        command: str,
        *,
        stdout: str | bytes = "",
        stderr: str | bytes = "",
        exit_code: int = 0,
        code: str = "",
    ) -> None:
        """Say what a call does.

        Args:
            command: first argument of the call, such as `build`, or all of them, such as `build --help`;
                empty for every other call.
            stdout: what it prints.
            stderr: what it prints on standard error.
            exit_code: how it ends.
            code: Python that runs after the printing, with `arguments`, `os` and `sys` at hand.
        """
        self._parts[command] = {
            "stdout": _text(stdout),
            "stderr": _text(stderr),
            "exit_code": exit_code,
            "code": code,
        }
        self._answers.write_text(json.dumps(self._parts), encoding="utf-8")

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in order."""
        if not self._calls.exists():
            return []
        return [Call(**json.loads(line)) for line in self._calls.read_text(encoding="utf-8").splitlines()]

    def calls_of(self, command: str) -> list[Call]:
        """The calls whose first argument is this."""
        return [call for call in self.calls if call.argv[:1] == [command]]


# As Packer lists its commands, and the options of one.
_HELP = """\
Available commands are:
    build           build image(s) from template
    version         Prints the Packer version
"""
_BUILD_HELP = """\
  -color=false                  Disable color output. (Default: color)
  -except=foo,bar,baz           Run all builds and post-processors other than these.
  -only=foo,bar,baz             Build only the specified builds.
  -force                        Force a build to continue if artifacts exist, deletes existing artifacts.
  -machine-readable             Produce machine-readable output.
  -on-error=[cleanup|abort]     If the build fails do: clean up (default) or abort.
  -var-file=path                JSON or HCL2 file containing user variables.
"""


# What Packer prints for programs of a good build of the null builder.
SUCCESS = """\
1605862346,null.x,artifact-count,1
1605862346,null.x,artifact,0,builder-id,null
1605862346,null.x,artifact,0,id,Null
1605862346,null.x,artifact,0,files-count,0
1605862346,null.x,artifact,0,end
"""


class FakePacker(FakeProgram):
    """A stand-in for Packer: `version` answers as 1.9.4 does until the test says otherwise.

    It knows `build` alone, without `-on-error=run-cleanup-provisioner`.
    """

    def __init__(self, folder: Path, version: str = "1.9.4") -> None:
        super().__init__(folder, "packer")
        self.set_version(version)
        self.answer("--help", stdout=_HELP)
        self.answer("build --help", stdout=_BUILD_HELP)

    def set_version(self, version: str) -> None:
        """Answer as this version of Packer."""
        self.answer("version", stdout=f"Packer v{version}\n")
        self.answer("--version", stdout=f"{version}\n")


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
