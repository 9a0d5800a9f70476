"""Manifests: read those of real life, write our own, and compare with the stream."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.errors import PackerError
from hybridcore.packer.stream.manifest import (
    discrepancies,
    dumps,
    find,
    of_artifacts,
    of_run,
    parse,
    split_build,
    write,
)
from hybridcore.packer.stream.outcome import Outcome, SeenArtifact
from hybridcore.packer.stream.pump import Pump
from hybridcore.process.mask import Masker

RECORDINGS = Path(__file__).parents[1] / "recordings"
VERSIONS = ["1.6.6", "1.9.4"]


def recorded_artifacts(version: str) -> tuple[SeenArtifact, ...]:
    outcome = Outcome()
    pump = Pump(Masker([]), log=lambda _: None, outcome=outcome)
    pump.feed((RECORDINGS / version / "build-file.txt").read_bytes())
    pump.close()
    return outcome.artifacts


def look(folder: Path, written: Collection[str], since: int):
    """Find the manifest of a build to which every `*.json` in a folder belongs."""
    return find(folder, written, sorted(path.name for path in folder.glob("*.json")), since)


def recorded_manifest(version: str):
    return parse((RECORDINGS / version / "manifest-file.json").read_text(encoding="utf-8"))


def test_real_manifests_that_mix_runs(corpus):
    mixed = 0
    paths = sorted((corpus / "manifests").glob("*.json"))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        manifest = parse(text, filename=path.name)
        last = of_run(manifest)
        assert last, path.name
        assert {build.run_uuid for build in last} == {json.loads(text)["last_run_uuid"]}
        if len(last) < len(manifest.builds):
            mixed += 1
            assert manifest.builds[0] not in last
    assert len(paths) >= 10
    assert mixed >= 5


def test_the_builds_of_another_run_can_be_asked_for():
    data = {"last_run_uuid": "b", "builds": []}
    for number, run in enumerate("aab"):
        data["builds"].append(
            {"name": f"n{number}", "builder_type": "qemu", "files": None, "packer_run_uuid": run}
        )
    manifest = parse(json.dumps(data))
    assert [build.name for build in of_run(manifest)] == ["n2"]
    assert [build.name for build in of_run(manifest, "a")] == ["n0", "n1"]
    assert of_run(manifest, "other") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"builds": [', "is not JSON"),
        ("[]", "no list of builds"),
        ('{"builds": null}', "no list of builds"),
        ('{"builds": [1]}', "no list of builds"),
        ('{"builds": [{"files": [{"size": 1}]}]}', "build 0 of the manifest has an odd shape"),
        ('{"builds": [{"files": [{"name": "a", "size": "x"}]}]}', "build 0 of the manifest has an odd shape"),
        ('{"builds": [{"build_time": "yesterday"}]}', "build 0 of the manifest has an odd shape"),
        ('{"builds": [{"build_time": Infinity}]}', "build 0 of the manifest has an odd shape"),
        (
            '{"builds": [{"files": [{"name": "a", "size": 1e999}]}]}',
            "build 0 of the manifest has an odd shape",
        ),
        ('{"builds": [{"build_time": ' + "9" * 5000 + "}]}", "is not a manifest of Packer: .*4300 digits"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(text, message):
    with pytest.raises(PackerError, match=message) as caught:
        parse(text, filename="state/m.json")
    assert caught.value.file == "state/m.json"


@given(data=st.data())
def test_a_real_manifest_that_is_cut_anywhere_is_refused(corpus, data):
    path = data.draw(st.sampled_from(sorted((corpus / "manifests").glob("*.json"))))
    whole = path.read_bytes()
    end = len(whole.rstrip())
    cut = data.draw(st.integers(0, len(whole)))
    text = whole[:cut].decode("utf-8", "replace")
    if cut >= end:
        assert parse(text) == parse(whole.decode("utf-8"))
    else:
        with pytest.raises(PackerError):
            parse(text)


def test_a_text_that_cannot_be_printed_is_mended():
    (build,) = parse('{"builds": [{"name": "a\\ud800", "artifact_id": 5}]}').builds
    assert (build.name, build.artifact_id) == ("a?", "")


def manifest_of(*builds: tuple[str, int], last: str) -> str:
    entries = [
        {"name": "demo", "build_time": time, "files": None, "packer_run_uuid": run} for run, time in builds
    ]
    return json.dumps({"builds": entries, "last_run_uuid": last})


def test_the_manifest_of_this_build_is_found_among_others(tmp_path):
    """Whatever else lies there is passed over, also what would hold up or break a reader."""
    (tmp_path / "a.json").mkdir()
    os.mkfifo(tmp_path / "b.json")
    (tmp_path / "c.json").write_bytes(b"\xff\xfe")
    (tmp_path / "d.json").write_text('{"builds": [{"build_time": Infinity}], "last_run_uuid": "x"}')
    (tmp_path / "e.json").write_text('{"builds": [], "last_run_uuid": ""}')
    (tmp_path / "f.json").symlink_to("h.json")
    (tmp_path / "g.json").write_text(manifest_of(("old", 5), last="old"))
    (tmp_path / "h.json").write_text(manifest_of(("old", 5), ("new", 10), last="new"))
    found = look(tmp_path, [], since=10)
    assert found.path == tmp_path / "h.json"
    assert [build.run_uuid for build in found.builds] == ["new"]
    assert found.foreign == ("g.json",)


def test_a_manifest_that_cannot_be_read_is_passed_over(tmp_path, monkeypatch):
    """Played, since root may read everything."""
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(manifest_of(("new", 10), last="new"))
    read = Path.read_text

    def refuse(path: Path, *args: object, **more: object) -> str:
        if path.name == "a.json":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    assert look(tmp_path, ["a.json", "a.json/x", "x" * 300], since=10).path == tmp_path / "b.json"


def test_a_manifest_that_the_template_writes_comes_first(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("a.json", "out/z.json"):
        (tmp_path / name).write_text(manifest_of((name, 10), last=name))
    assert look(tmp_path, [], since=10).path == tmp_path / "a.json"
    assert look(tmp_path, ["out/z.json"], since=10).path == tmp_path / "out" / "z.json"


def test_a_manifest_behind_a_link_is_the_templates(tmp_path):
    (tmp_path / "template").mkdir()
    (tmp_path / "template" / "made.json").write_text(manifest_of(("new", 10), last="new"))
    here = tmp_path / "here"
    here.mkdir()
    (here / "out").symlink_to("../template")
    (here / "made.json").symlink_to("../template/made.json")
    assert look(here, ["out/made.json", "made.json"], since=10) == (None, (), ())


def test_only_a_manifest_of_this_build_is_its_own(tmp_path):
    path = tmp_path / "made.json"
    for text in (
        manifest_of(("run", 9), last="run"),
        manifest_of(("run", 9), ("run", 10), last="run"),
        manifest_of(("run", 10), last="other"),
    ):
        path.write_text(text)
        assert look(tmp_path, ["made.json"], since=10) == (None, (), ("made.json",))
    path.write_text(manifest_of(("run", 10), last="run"))
    assert look(tmp_path, [], since=10).path == path
    # With strip_time there is no time.
    path.write_text(manifest_of(("run", 0), last="run"))
    assert look(tmp_path, [], since=10).foreign == ("made.json",)
    assert look(tmp_path, ["made.json"], since=10).path == path


@pytest.mark.parametrize("version", VERSIONS)
def test_ours_is_equal_to_packers(version):
    """The same run, with the manifest post-processor and by us from the stream."""
    text = (RECORDINGS / version / "manifest-file.json").read_text(encoding="utf-8")
    theirs = parse(text)
    run = theirs.last_run_uuid
    sizes = {"one.txt": 3, "two, with comma.txt": 3}
    ours = of_artifacts(
        recorded_artifacts(version), sizes, run_uuid=run, build_time=theirs.builds[0].build_time
    )
    by_name = sorted(json.loads(text)["builds"], key=lambda build: build["name"])
    for build in by_name:
        build["build_time"] = theirs.builds[0].build_time
    assert json.loads(dumps(ours)) == {"builds": by_name, "last_run_uuid": run}
    # Also in how it is laid out, and in the order of keys.
    assert dumps(theirs) == text
    assert parse(dumps(ours)) == ours


def test_the_manifest_is_written_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text("old")
    manifest = recorded_manifest("1.9.4")
    write(path, manifest)
    assert parse(path.read_text(encoding="utf-8")) == manifest
    assert os.listdir(tmp_path) == ["manifest.json"]


def test_a_write_that_fails_leaves_the_old_one_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "manifest.json"
    path.write_text("old")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, recorded_manifest("1.9.4"))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["manifest.json"]


@pytest.mark.parametrize(
    ("build", "parts"),
    [("qemu.debian-12", ("qemu", "debian-12")), ("label.qemu.deb", ("qemu", "deb")), ("web", ("", "web"))],
)
def test_the_name_of_a_build(build, parts):
    assert split_build(build) == parts


@pytest.mark.parametrize("version", VERSIONS)
def test_stream_and_manifest_of_one_run_agree(version):
    assert discrepancies(recorded_artifacts(version), of_run(recorded_manifest(version))) == ()


def test_each_kind_of_disagreement_is_told():
    artifacts = recorded_artifacts("1.6.6")
    builds = of_run(recorded_manifest("1.6.6"))
    one = next(build for build in builds if build.name == "one")
    two = next(build for build in builds if build.name == "two")
    assert discrepancies(artifacts, [one]) == ("file.two: left an artifact that is not in the manifest",)
    assert discrepancies(artifacts[:1], builds) == (
        "file.two: in the manifest, but the output tells of no artifact",
    )
    other_id = replace(one, artifact_id="Other")
    assert discrepancies(artifacts, [other_id, two]) == (
        "file.one: the manifest says 'Other', the output 'File'",
    )
    other_files = replace(one, files=(("else.txt", 1),))
    assert discrepancies(artifacts, [other_files, two]) == (
        "file.one: the files in the manifest (else.txt) are not those in the output",
    )
    sizes = {"one.txt": 4, "two, with comma.txt": 3}
    assert discrepancies(artifacts, builds, sizes) == (
        "file.one: one.txt has 3 bytes in the manifest, and 4 on the disk",
    )
    unknown = replace(one, files=((one.files[0][0], 0),))
    assert discrepancies(artifacts, [unknown, two], sizes) == ()


def test_one_of_several_artifacts_of_a_name_may_be_the_one_in_the_manifest():
    one = next(seen for seen in recorded_artifacts("1.6.6") if seen.build == "file.one")
    build = next(build for build in of_run(recorded_manifest("1.6.6")) if build.name == "one")
    other = one._replace(files=("before/one.txt",))
    assert discrepancies([other, one], [build], {"before/one.txt": 9, "one.txt": 3}) == ()
