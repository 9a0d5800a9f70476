"""A secret is nowhere but in Packer's environment: not in processes, output, files or results."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.builds import hybrid, hybrid_command, hybrid_environment
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

GIVEN, INHERITED, ADDED = "canary-given,47/11", "canary inherited", "canary$added"
# Says the secrets in several ways, and looks at all processes and at the files of its run meanwhile.
TELL = """\
import base64, json, os, pathlib, sys
for name in ("PKR_VAR_given", "PKR_VAR_inherited", "PKR_VAR_added"):
    value = os.environ[name]
    print(value, json.dumps(value), base64.b64encode(value.encode()).decode(), flush=True)
    print("on standard error", value, file=sys.stderr, flush=True)
seen = pathlib.Path(sys.argv[1])
seen.mkdir()
lines = []
for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        lines.append(path.read_bytes())
    except OSError:
        pass  # it has just ended
(seen / "command-lines").write_bytes(b"\\n".join(lines))
run = next(folder for folder in pathlib.Path.cwd().parents if folder.parent.name == ".runs")
with open(seen / "private", "w") as private:
    for root in (run, os.environ["TMPDIR"]):
        for folder, _, names in os.walk(root):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                if not os.path.islink(path):
                    print(oct(os.stat(path).st_mode & 0o777), path, file=private)
                    # Packer's own log holds what the build printed: see docs/secrets.md.
                    if os.path.isfile(path) and not os.path.basename(path).startswith("packer-log"):
                        with open(path, "rb") as file:
                            (seen / f"copy-{os.path.basename(path)}").write_bytes(file.read())
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.write("tell.py", TELL)
    for name, code in (("good", 0), ("bad", 1)):
        target = made.null(
            f"linux/null/{name}", inline=(f"python3 {made.root}/tell.py {made.root}/seen-{name} {code}",)
        )
        variables = "".join(
            f'variable "{variable}" {{\n  sensitive = true\n}}\n'
            for variable in ("given", "inherited", "added")
        )
        # Packer 1.6 gets a copy without this block.
        block = "packer {\n  required_plugins {\n  }\n}\n"
        made.write(f"templates/{target}/secrets.pkr.hcl", variables + block)
    return made


def forms(value: str) -> Iterator[bytes]:
    yield value.encode()
    yield value.replace(",", "%!(PACKER_COMMA)").encode()
    yield base64.b64encode(value.encode())[:-4]


def assert_nowhere(space: WorkspaceFolder, *texts: str | bytes) -> None:
    found = {f"text {number}": text for number, text in enumerate(texts)}
    for path in space.root.rglob("*"):
        if path.is_file() and path.name not in ("tell.py",):
            found[str(path.relative_to(space.root))] = path.read_bytes()
    assert any(name.startswith("logs/") for name in found)
    assert any(name.startswith("seen-good/") for name in found)
    for name, text in found.items():
        data = text if isinstance(text, bytes) else text.encode()
        for value in (GIVEN, INHERITED, ADDED):
            for form in forms(value):
                assert form not in data, f"{value!r} in {name}"


def test_canaries_on_the_command_line(space: WorkspaceFolder, any_packer: Path, packer_debian: Path) -> None:
    space.write("packer-hybrid.toml", f'[packer]\npath = "{any_packer}"\n')
    done = hybrid(
        space,
        *("--json", "build", "--env", "dev", "--verbose", "--secret", "given", "--secret", "added"),
        PKR_VAR_given=GIVEN,
        PKR_VAR_inherited=INHERITED,
        PKR_VAR_added=ADDED,
    )
    assert done.returncode == 3
    said = json.loads(done.stdout)
    assert [one["status"] for one in said["results"]] == ["failed", "built"]
    assert "on standard error ***" in done.stderr
    assert_nowhere(space, done.stdout, done.stderr)
    private = (space.root / "seen-good" / "private").read_text().splitlines()
    # Below "ws" are copies of the workspace's files, with the permissions that those have.
    modes = {line.split()[0] for line in private if "/ws/" not in line}
    assert modes == {"0o600", "0o700"}, private
    assert {line.split()[0] for line in private if "/ws/" in line} <= {"0o600", "0o644", "0o700"}
    names = {line.rpartition("/")[2] for line in private}
    copied = {"secrets.pkr.hcl"} if any_packer == packer_debian else set()
    assert names >= {"values.pkrvars.hcl", *copied}


def test_canaries_in_a_playbook_at_vvvv(space: WorkspaceFolder, ansible, tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(
        f"""\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Build
      hybridcore.packer.packer_build:
        workspace: {space.root}
        env: dev
        secrets:
          given: "{{{{ lookup('env', 'CANARY_GIVEN') }}}}"
        extra_env:
          PKR_VAR_added: "{{{{ lookup('env', 'CANARY_ADDED') }}}}"
      no_log: false
      register: answer
      ignore_errors: true
    - ansible.builtin.copy:
        content: "{{{{ answer }}}}"
        dest: {space.root}/answer.json
"""
    )
    environment = {"CANARY_GIVEN": GIVEN, "CANARY_ADDED": ADDED, "PKR_VAR_inherited": INHERITED}
    done = ansible.playbook(play, "-vvvv", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout
    answer = json.loads((space.root / "answer.json").read_text())
    assert [one["status"] for one in answer["results"]] == ["failed", "built"]
    assert "***" in done.stdout
    assert_nowhere(space, done.stdout)


def test_an_error_of_the_user_shows_no_secret(space: WorkspaceFolder) -> None:
    (space.root / "images").write_text("a file where a folder must be")
    done = hybrid(
        space,
        *("--json", "build", "--env", "dev", "--secret", "given", "linux/null/good"),
        PKR_VAR_given=GIVEN,
        PKR_VAR_inherited=INHERITED,
        PKR_VAR_added=ADDED,
    )
    assert done.returncode not in (0, 3)
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_a_fault_of_ours_shows_no_secret(space: WorkspaceFolder) -> None:
    code = (
        "import os, sys\n"
        "from hybridcore import cli, pipeline\n"
        "def build(request, **more):\n"
        "    try:\n"
        "        raise KeyError(os.environ['PKR_VAR_inherited'], os.environ['PROXMOX_PASSWORD'])\n"
        "    except KeyError:\n"
        "        raise ValueError('odd: ' + request.options.secrets['given'])\n"
        "pipeline.build = build\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    arguments = hybrid_command(space, "build", "--env", "dev", "--secret", "given")[3:]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=hybrid_environment(
            PKR_VAR_given=GIVEN, PKR_VAR_inherited=INHERITED, PROXMOX_PASSWORD="canary of a platform"
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70, done.stderr
    assert "KeyError: (***, ***)" in done.stderr
    assert done.stderr.endswith("ValueError: odd: ***\n")
    assert "canary" not in done.stdout + done.stderr


def test_each_part_of_a_sensitive_list_is_masked(space: WorkspaceFolder, any_packer: Path) -> None:
    space.write("packer-hybrid.toml", f'[packer]\npath = "{any_packer}"\n')
    target = space.null("linux/null/list", inline=("echo first ${var.toks[0]} second ${var.toks[1]}",))
    space.write(
        f"templates/{target}/list.pkr.hcl",
        'variable "toks" {\n  type      = list(string)\n  sensitive = true\n}\n',
    )
    toks = '["canary-first", "canary-second"]'
    done = hybrid(space, "build", "--env", "dev", "--verbose", target, PKR_VAR_toks=toks)
    assert done.returncode == 0, done.stderr
    assert "first *** second ***" in done.stderr
    logs = [path.read_text() for path in (space.root / "logs").rglob("*.log")]
    assert "first *** second ***" in "".join(logs)
    assert "canary" not in "".join((done.stdout, done.stderr, *logs))


def test_a_secret_that_no_target_declares_is_told_by_name(space: WorkspaceFolder) -> None:
    done = hybrid(
        space,
        *("build", "--env", "dev", "--check", "--secret", "given", "--secret", "gievn", "linux/null/good"),
        PKR_VAR_given=GIVEN,
        PKR_VAR_gievn=GIVEN,
        PKR_VAR_inherited=INHERITED,
        PKR_VAR_added=ADDED,
    )
    assert done.returncode == 5, done.stderr
    (warning,) = [line for line in done.stderr.splitlines() if line.startswith("warning: the secret")]
    assert warning == "warning: the secret 'gievn': no target of this batch declares this variable"
    assert GIVEN not in done.stderr


def test_a_short_value_from_the_environment_is_refused(space: WorkspaceFolder) -> None:
    done = hybrid(
        space,
        *("--json", "build", "--env", "dev", "linux/null/good"),
        PKR_VAR_given="abc",
        PKR_VAR_inherited=INHERITED,
        PKR_VAR_added=ADDED,
    )
    assert done.returncode == 1, done.stderr
    (fault,) = json.loads(done.stdout)["faults"]
    assert "'given' has 3 characters" in fault["message"]
    assert (fault["file"], fault["line"]) == ("templates/linux/null/good/secrets.pkr.hcl", 1)
    assert not (space.root / "logs" / "builds").exists()


NAMED = """\
variable "word" {
  type      = string
  sensitive = true
}

source "file" "image" {
  content = "hello"
  target  = "debian-12-file-packer.img"
}

build {
  sources = ["source.file.image"]

  provisioner "shell-local" {
    inline = ["echo say $PKR_VAR_word again"]
  }
}
"""


@pytest.mark.parametrize(
    "word", ["debian", "packer", "file", "image", "artifact", "message", "files-count", "TIME", "0,end"]
)
def test_a_secret_that_is_a_word_of_the_protocol_hides_nothing_of_it(
    space: WorkspaceFolder, any_packer: Path, word: str
) -> None:
    space.use(any_packer)
    target = space.template("linux/file/image", NAMED)
    value = str(int(time.time()))[:5] if word == "TIME" else word
    done = hybrid(space, "--json", "build", "--env", "dev", "--verbose", target, PKR_VAR_word=value)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert result["status"] == "built"
    assert result["warnings"] == []
    ((file,),) = [one["files"] for one in result["artifacts"]]
    assert Path(file["path"]).name == "debian-12-file-packer.img"
    assert (space.root / file["path"]).read_text() == "hello"
    manifest = json.loads((space.root / result["manifest_path"]).read_text())
    assert [Path(one["name"]).name for one in manifest["builds"][0]["files"]] == ["debian-12-file-packer.img"]
    assert "say *** again" in done.stderr
    assert f"say {value} again" not in (space.root / result["log_path"]).read_text()


def test_an_error_that_names_a_secret_is_masked_and_still_one_that_may_pass(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    """What decides whether it is tried again is Packer's own text."""
    space.use(any_packer)
    text = NAMED.replace(
        "echo say $PKR_VAR_word again", "echo 1 | tee -a {0}/tries; echo $PKR_VAR_word >&2; exit 9"
    )
    target = space.template("linux/file/image", text.replace("{0}", str(space.root)))
    done = hybrid(
        space, "--json", "build", "--env", "dev", "--retries", "1", "--retry-delay", "0", target,
        PKR_VAR_word="connection refused",
    )  # fmt: skip
    (result,) = json.loads(done.stdout)["results"]
    assert (result["status"], result["attempts"]) == ("failed", 2)
    assert "connection refused" not in done.stdout + done.stderr
    assert "***" in result["errors"][0]
    assert (space.root / "tries").read_text() == "1\n1\n"


def test_colours_within_a_secret_do_not_hide_it(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    found = "echo token=$PKR_VAR_word | grep --color=always hunter"
    target = space.template("linux/file/image", NAMED.replace("echo say $PKR_VAR_word again", found))
    done = hybrid(space, "build", "--env", "dev", "--verbose", target, PKR_VAR_word="xx-hunter2-pw")
    assert done.returncode == 0, done.stderr
    logs = "".join(path.read_text() for path in (space.root / "logs").rglob("*.log"))
    assert "token=***" in logs
    for text in (logs, done.stderr):
        assert "hunter" not in text
        assert "2-pw" not in text
    assert "token=***" in done.stderr


ACCOUNT = json.dumps(
    {
        "type": "service_account",
        "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEcanary\n-----END PRIVATE KEY-----\n",
    }
)
WAYS = """\
set -eu
here=$1
printf 'some text before it, %s and after it too\\n' "$PKR_VAR_long" > "$here/whole"
base64 "$here/whole"
base64 -w 64 "$here/whole"
python3 -c 'import json, os; print(json.loads(os.environ["PKR_VAR_account"])["private_key"])'
python3 -c 'import json, os; print(json.dumps(json.loads(os.environ["PKR_VAR_account"])["private_key"]))'
printf '[%s]\\n' "$PKR_VAR_blank" | sed 's/ *]/]/'
echo "$PKR_VAR_whole"
bash -c 'printf "%q\\n" "$PKR_VAR_long"'
echo "is=$PKR_VAR_long" | grep --color=always -e "part.7"
"""


def test_no_way_of_programs_to_write_a_secret_comes_through(
    space: WorkspaceFolder, any_packer: Path, tmp_path: Path
) -> None:
    space.use(any_packer)
    ways = tmp_path / "ways.sh"
    ways.write_text(WAYS)
    target = space.null("linux/null/ways", inline=(f"sh {ways} {tmp_path}", "echo ${var.whole} again"))
    names = ("long", "account", "blank", "part", "whole")
    declared = "".join(f'variable "{name}" {{\n  sensitive = true\n}}\n' for name in names)
    space.write(f"templates/{target}/variables.pkr.hcl", declared)
    long = "-".join(f"part,{number}" for number in range(30))
    secrets = {
        "long": long,
        "account": ACCOUNT,
        "blank": "canary with a blank ",
        "part": "canary-part",
        "whole": "canary-part-and-tail",
    }
    done = hybrid(
        space,
        *("build", "--env", "dev", "--verbose", target),
        PACKER_LOG="1",
        **{f"PKR_VAR_{name}": value for name, value in secrets.items()},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    logs = "".join(path.read_text() for path in (space.root / "logs").rglob("*.log"))
    encoded = base64.b64encode((tmp_path / "whole").read_bytes()).decode()
    # From behind "some text before it, " to before " and after it too".
    within = encoded[-(-21 * 8 // 6) : (21 + len(long)) * 8 // 6]
    for text in (logs, done.stdout + done.stderr):
        assert "is=***" in text
        assert text.count("***") > 12
        for piece in ("canary", "MIIE", "BEGIN", "and-tail", "-tail", "with a blank", "part,1", "part\\,1"):
            assert piece not in text, piece
        # At the end of a line up to three characters stay.
        assert not [piece for at in range(len(within) - 6) if (piece := within[at : at + 6]) in text]


ONLY_PACKER_KNOWS = """\
variable "token" {
  default   = env("CANARY_TOKEN")
  sensitive = true
}

variable "plain" {
  default = "plain-part"
}

local "password" {
  expression = "${var.plain}-${lower(file("${path.root}/canary.txt"))}-${var.token}"
  sensitive  = true
}

local "pair" {
  expression = { user = "CANARY-user", deep = ["CANARY, deep"] }
  sensitive  = true
}

source "null" "known" {
  communicator = "none"
}

build {
  sources = ["source.null.known"]

  provisioner "shell-local" {
    inline = [
      "echo ${local.password} and",
      "echo ${local.pair.user} ${local.pair.deep[0]}",
      "echo ${var.token}",
      "exit ${var.plain == "bad" ? 3 : 0}",
    ]
  }
}
"""


def test_what_only_packer_knows_is_masked(space: WorkspaceFolder, tools: Tools) -> None:
    """Packer prints `<sensitive>` for it: the machine-readable output does not."""
    space.use(tools.packer)
    target = space.template("linux/null/known", ONLY_PACKER_KNOWS)
    space.write(f"templates/{target}/canary.txt", "CANARY-FILE")
    build = ("build", "--env", "dev", "--verbose", "--env-var", "CANARY_TOKEN", target)
    for arguments in (build, ("validate", "--env", "dev", target)):
        done = hybrid(space, *arguments, CANARY_TOKEN="canary-tok")
        assert done.returncode == 0, done.stdout + done.stderr
        logs = "".join(path.read_text() for path in (space.root / "logs").rglob("*.log"))
        for text in (done.stdout + done.stderr, logs):
            for piece in ("canary-file", "CANARY-user", "CANARY, deep", "canary-tok"):
                assert piece not in text, piece
        assert "*** and" in logs
        assert "*** ***" in logs
    kept = [path for path in space.root.rglob("*") if path.is_file() and "templates" not in path.parts]
    assert not [path for path in kept if b"canary-file" in path.read_bytes()]


@pytest.mark.parametrize("how", ["passes", "given"])
def test_a_default_from_the_environment_is_a_secret(
    space: WorkspaceFolder, any_packer: Path, how: str
) -> None:
    space.use(any_packer)
    name = "PACKER_CANARY" if how == "passes" else "CANARY"
    text = f'variable "word" {{\n  default   = env("{name}")\n  sensitive = true\n}}\n'
    target = space.null("linux/null/env", inline=("echo is ${var.word}.",))
    space.write(f"templates/{target}/word.pkr.hcl", text)
    more = () if how == "passes" else ("--env-var", name)
    done = hybrid(space, "build", "--env", "dev", "--verbose", *more, target, **{name: "canary-env"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is ***." in done.stderr
    logs = "".join(path.read_text() for path in (space.root / "logs").rglob("*.log"))
    assert "canary-env" not in done.stderr + logs
    # One that is too short cannot be masked.
    done = hybrid(space, "build", "--env", "dev", "--force", *more, target, **{name: "abc"})
    assert done.returncode == 1
    assert "'word' has 3 characters" in done.stderr


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ('"x-${uuidv4()}"', "is made of uuidv4()"),
        ("bcrypt(local.other)", "is made of bcrypt()"),
        ("local.when", "is made of timestamp()"),
        ('file("no-such-file")', "cannot be known: Packer says"),
        ('substr("abc", 0, 3)', "has 3 characters"),
    ],
)
def test_a_sensitive_value_that_cannot_be_known_is_refused(
    space: WorkspaceFolder, tools: Tools, expression: str, why: str
) -> None:
    space.use(tools.packer)
    target = space.null("linux/null/refused", inline=("echo ${local.pw}",))
    local = f'local "pw" {{\n  expression = {expression}\n  sensitive  = true\n}}\n'
    space.write(
        f"templates/{target}/local.pkr.hcl", f'{local}locals {{\n  other = "xyz"\n  when = timestamp()\n}}\n'
    )
    done = hybrid(space, "--json", "build", "--env", "dev", target)
    assert done.returncode != 0
    (fault,) = json.loads(done.stdout)["faults"]
    assert why in fault["message"]
    assert fault["hint"]
    assert (fault["file"], fault["line"]) == (f"templates/{target}/local.pkr.hcl", 1)
    assert not (space.root / "logs" / "builds").exists()
