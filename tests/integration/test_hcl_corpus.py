"""The reader and the writer against Packer itself and python-hcl2, over real files and over nasty ones."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest

from hybridcore import hcl
from hybridcore.hcl.values import to_text
from tests.support.tools import Tools

pytestmark = pytest.mark.integration

FAILED = re.compile(r"failed to parse HCL (\S+)")

# A text, and nothing about it: what Packer says of it is what is right.
NASTY = [
    'a = "x$"', 'a = "$$${b}"', 'a = "%%{if"', 'a = "$${~ x"', "a = 1.", "a = 1.5.6", "a = 1e5", "a = 1e",
    "a = .5", "a = 0x5", "a = 1e5e5", "a = 1..2", "a b", "a = {for=1}", "/* x", "a = /* x */ 1 # y",
    "# x\ra=1", "a\r=1", "\ufeffa=1", "a=1\n\ufeff", "a=[1\n,2\n]", "a={b=1,\n,c=2}", "a={b=1 c=2}",
    "a=foo\n(1)", "a=(foo\n(1))", "a=b[*\n]", "a=[b[\n*\n]]", "b {a=1}", "b { a=1\n}", "b {a=1, b=2}",
    "b {\n a=1 }", "b {c {}}", 'b "x${1}" {}', 'b x "y" z {\n}', "a=1 b=2", "a=1\na=2", 'a="${~ b ~}"',
    "a={b=1~}", 'a="%{if true}x%{else}y%{endif}"', 'a="%{if true}x%{else}y%{else}z%{endif}"',
    'a="%{ for x in y ~}x%{ endfor }"', 'a="%{ endif }"', "a=x.0.1", "a=x.0", "a=x.*.0.y", "a=x.*.*",
    "a=<<E\n$\nE", "a=<<E\n$${b}\nE$\nE", "a=<<E\nx\n E \t\nb=1", "a=<<E\nE", "a=<<E x\nE",
    "a=[<<E\nx\nE\n,1]", "a=[<<E\nx\nE, 1]", "é=1", "e\u0301=1", "²=1", "x²=1", "a·=1", "-a=1", "a-b=1",
    "a=1**2", "a=1;", "a=`x`", "a=[for x in y: x if z]", "a={for k,v in y: k => v... if z}",
    "a=[for x in y: x => 1]", "a=[for x in y: x...]", "a=f(x...)", "a=f(x...,)", "a=f(,)", "a=f(x,)",
    "a=[,]", "a={,}", "a=x::y()", 'a="\x00"', "a=1\x0b", "a=1\u00a0", "a= !-!b", 'a="${}"', 'a="%{}"',
    'a="x', 'a="x\r\n"', 'a=b."c"', "a==1", 'a={(b)=1,"c${d}"=2,e.f=3,1=2}', "a=b?c:d?e:f", "a=b?c\n:d",
    "a=(b?c\n:d)", '"a" = 1', 'a="\\ud800"', "a=>1", 'a="\\U00110000"', 'a="\\u12"', 'a="\\x"', "a=b\n.c",
    "a=(b\n.c)", "a={b=c\n.d=1}", "a={b=1}{c=2}", "a=1<<E\nE", "b {} b {}", "}", "a=(1", "a=[1", "a={",
    "b {", "a=b[1", "a=f(1", 'a="${b', "a=<<E\n${b\nE", "a=1 // b", "a=1 # b", "b { a=1 } # c",
    "b { # c\n}", "b { /* c */ }", "b { a = [\n1\n] }", "b { a = <<E\nE\n}", 'b "\\n" {}', "a=b...c",
    "a=b &&", "a=b & c", "a=!", "a=~b", "a=b%{c=1}", 'a="$%{if b}c%{endif}"', 'a="%${b}"', "a=b/*c*/.d",
    "b\n{}", "\n;",
]  # fmt: skip


@pytest.fixture(scope="module")
def files(corpus: Path) -> list[Path]:
    """Every HCL file of the corpus."""
    found = sorted(corpus.rglob("*.hcl"))
    assert found
    return found


def refused_by_packer(folder: Path) -> set[str]:
    """The names of the files of a folder that ``packer fmt`` cannot parse."""
    done = subprocess.run(
        ["packer", "fmt", "-check", "."], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    names = set(FAILED.findall(done.stdout + done.stderr))
    assert done.returncode in (0, 1, 3), done.stderr
    return names


def refused_by_us(folder: Path) -> dict[str, str]:
    refused = {}
    for path in folder.iterdir():
        try:
            hcl.load(path)
        except hcl.HclError as error:
            refused[path.name] = str(error)
    return refused


def test_each_real_file_gets_the_verdict_of_packer_fmt(files: list[Path], tmp_path: Path) -> None:
    for number, path in enumerate(files):
        # Packer looks at the ending; a file of another kind is parsed as a template all the same.
        kind = "pkrvars.hcl" if path.name.endswith("pkrvars.hcl") else "pkr.hcl"
        shutil.copyfile(path, tmp_path / f"{number:04}.{kind}")
    ours = refused_by_us(tmp_path)
    assert set(ours) == refused_by_packer(tmp_path), ours


def test_nasty_texts_get_the_verdict_of_packer_fmt(tmp_path: Path) -> None:
    texts = {f"{number:04}.pkr.hcl": f"{text}\n" for number, text in enumerate(NASTY)}
    texts |= {f"{number:04}-cut.pkr.hcl": text for number, text in enumerate(NASTY)}
    for number, text in enumerate(
        ("1e999999999", "1e2147483648", "1e-99999999999", "0e99999999999999999999")
    ):
        texts[f"exponent-{number}.pkr.hcl"] = f"a = {text}\n"
    texts["long-names.pkr.hcl"] = f"{'é' * 5000} = <<{'E' * 5000}\n{'E' * 5000}\n"
    texts["latin1.pkr.hcl"] = "# caf\udce9\na = 1\n"
    texts["latin1-string.pkr.hcl"] = 'a = "caf\udce9"\n'
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    theirs, ours = refused_by_packer(tmp_path), set(refused_by_us(tmp_path))
    assert {name: texts[name] for name in ours ^ theirs} == {}
    assert len(NASTY) // 4 < len(theirs) < len(texts)


def test_packer_fmt_accepts_what_the_writer_writes(tmp_path: Path) -> None:
    texts = ['"', "\\", "\n\r\t", "\x00\x1f\x7f", "${a}", "$${a}", "%{if}", "$", "%%", "# //"]
    texts += ["é", "x\u0301", "👨\u200d👩", "\u1100\u1100", "\ufeff", "\u2028"]
    numbers = [0, -1, 10**60, 1.5, -0.1, 1e22, 1e-7, 5e-324, 1.7976931348623157e308]
    values: dict[str, object] = {
        "texts": texts,
        "numbers": numbers,
        "keys": dict.fromkeys([*texts, "for", "true", "a", "a-b", "1a", ""], 1),
        "nested": {"a": [[], {}, [{"b": [{"c": None}]}], [[1, 2], ["x" * 120, True]]], "long_key": "x"},
        **{f"text_{number}": text for number, text in enumerate(texts)},
        **{f"n{number}": number_ for number, number_ in enumerate(numbers)},
    }
    (tmp_path / "a.pkrvars.hcl").write_text(hcl.dumps(values), encoding="utf-8")
    done = subprocess.run(
        ["packer", "fmt", "-check", "-diff", "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    body = hcl.load(tmp_path / "a.pkrvars.hcl")
    assert {name: attribute.value for name, attribute in body.attributes.items()} == values


# ---- packer inspect


def without_packer_block(text: str) -> str:
    """A template without its ``packer`` block, which asks for plugins and versions that are not here."""
    for block in hcl.loads(text).blocks:
        if block.type == "packer":
            lines = text.splitlines(keepends=True)
            end = next(index for index in range(block.line - 1, len(lines)) if lines[index].startswith("}"))
            return "".join(lines[: block.line - 1] + lines[end + 1 :])
    return text


def declared(body: hcl.Body) -> Iterator[tuple[str, hcl.Attribute | None, bool]]:
    """The variables of a file: name, default, and whether the value is hidden."""
    for block in body.blocks:
        inner = block.body.attributes
        if block.type == "variable":
            hidden = inner["sensitive"].value is True if "sensitive" in inner else False
            yield block.labels[0], inner.get("default"), hidden
        elif block.type == "variables":
            yield from ((name, attribute, False) for name, attribute in inner.items())


def plain(value: object) -> object:
    """A value with every scalar as text, and without the nulls that Packer drops when it prints."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return "null" if value is None else to_text(value)


def printed_variables(output: str) -> dict[str, str]:
    lines = re.findall(r'^var\.(\S+): (".*")$', output, re.MULTILINE)
    return {name: ast.literal_eval(text) for name, text in lines}


def printed_builds(output: str) -> list[tuple[str, set[str]]]:
    builds = []
    for part in re.split(r"^  > (?=\S)", output.partition("> builds:")[2], flags=re.MULTILINE)[1:]:
        name = part.splitlines()[0].rstrip(":")
        sources = part.partition("sources:")[2].partition("provisioners:")[0].split()
        builds.append((name, set(sources)))
    return builds


def our_builds(bodies: list[hcl.Body]) -> list[tuple[str, set[str] | None]]:
    """The builds of a folder: name and sources, ``None`` where an expression gives them."""
    builds: list[tuple[str, set[str] | None]] = []
    for body in bodies:
        for block in body.blocks:
            if block.type != "build":
                continue
            inner = block.body
            name = inner.attributes["name"].value if "name" in inner.attributes else ""
            listed = inner.attributes.get("sources")
            sources: set[str] | None = None
            if listed is None or listed.constant:
                sources = {item.removeprefix("source.") for item in (listed.value if listed else [])}
                for nested in inner.blocks:
                    if nested.type == "source":
                        renamed = nested.body.attributes.get("name")
                        kind, _, own = nested.labels[0].removeprefix("source.").partition(".")
                        sources.add(f"{kind}.{renamed.value if renamed else own}")
            builds.append((str(name), sources))
    return builds


def test_variables_and_builds_agree_with_packer_inspect(
    files: list[Path], tmp_path: Path, tools: Tools
) -> None:
    folders = sorted({path.parent for path in files if path.name.endswith(".pkr.hcl")})
    compared = compared_builds = 0
    for number, folder in enumerate(folders):
        copy = tmp_path / str(number)
        copy.mkdir()
        for path in folder.glob("*.pkr.hcl"):
            (copy / path.name).write_text(without_packer_block(path.read_text("utf-8-sig")), "utf-8")
        done = subprocess.run(
            [tools.packer, "inspect", "."],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode != 0:
            continue
        bodies = [hcl.load(path) for path in sorted(copy.iterdir())]
        printed = printed_variables(done.stdout)
        ours = {name: (default, hidden) for body in bodies for name, default, hidden in declared(body)}
        assert set(ours) == set(printed), folder
        secrets: set[object] = set()
        for name, (default, hidden) in sorted(ours.items(), key=lambda item: not item[1][1]):
            compared += 1
            if default is None:
                expected: object = "<unknown>"
            elif not default.constant:
                continue  # env() and the like: only Packer knows
            else:
                expected = plain(default.value)
                # Packer shows an empty secret and hides every text that is one.
                if hidden and default.value:
                    secrets.add(expected)
                if isinstance(expected, str) and expected in secrets:
                    expected = "<sensitive>"
            found = printed[name]
            if isinstance(expected, (list, dict)):
                assert plain(hcl.evaluate(found, {})) == expected, (folder, name)
            else:
                assert found == expected, (folder, name)
        for (name, sources), (printed_name, printed_sources) in zip(
            our_builds(bodies), printed_builds(done.stdout), strict=True
        ):
            assert printed_name == name or (not name and printed_name.startswith("<unnamed build"))
            if sources is not None:
                compared_builds += 1
                assert printed_sources == sources, folder
    assert compared > 50
    assert compared_builds > 2


# ---- python-hcl2


def test_constants_agree_with_python_hcl2(files: list[Path]) -> None:
    compared = 0
    for path in files[:: max(1, len(files) // 60)]:
        body = hcl.load(path)
        theirs = hcl2.loads(path.read_text("utf-8-sig"))
        compared += compare(body, theirs, path)
    assert compared > 500


def compare(body: hcl.Body, theirs: dict[str, Any], path: Path) -> int:
    """Compares names and constants of a body with what python-hcl2 read; how many constants there were."""
    kinds = {block.type for block in body.blocks}
    assert {name for name in theirs if not name.startswith("__")} == {*body.attributes, *kinds}, path
    compared = 0
    for name, attribute in body.attributes.items():
        if attribute.constant and not isinstance(other := unquoted(theirs[name]), Unread):
            assert same(attribute.value, other), (path, attribute.line, name, attribute.value, other)
            compared += 1
    for kind in kinds:
        ours = [block for block in body.blocks if block.type == kind]
        for block, other in zip(ours, theirs[kind], strict=True):
            for label in block.labels:
                other = other.get(label, other.get(f'"{label}"'))
            compared += compare(block.body, other, path)
    return compared


class Unread:
    """An expression that python-hcl2 leaves as text."""


def unquoted(value: object) -> object:
    """A value of python-hcl2, whose strings are source text with their quotes."""
    if isinstance(value, dict):
        return {key.strip('"'): unquoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unquoted(item) for item in value]
    if not isinstance(value, str):
        return value
    if not value.startswith('"'):
        return Unread()
    text = value[1:-1]
    if text.startswith("<<"):
        text = text.partition("\n")[2].rpartition("\n")[0] + "\n"
    elif "\\" in text:
        text = json.loads(value)
    return Unread() if re.search(r"[$%]\{", text) else text


def same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, Unread):
        return True
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, str) and isinstance(theirs, str) and "\n" in ours:
        # python-hcl2 leaves the indentation of heredocs as it is.
        return [line.strip() for line in ours.splitlines()] == [line.strip() for line in theirs.splitlines()]
    return ours == theirs
