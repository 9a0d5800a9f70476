"""Manifests: read those of real life, write our own, and compare with the stream."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from hybridcore.errors import PackerError
from hybridcore.packer.manifest import compose, discrepancies, dumps, of_run, parse, split_build, write
from hybridcore.packer.mask import Masker
from hybridcore.packer.outcome import Outcome, SeenArtifact
from hybridcore.packer.pump import Pump

RECORDINGS = Path(__file__).parent / "recordings"
VERSIONS = ["1.6.6", "1.9.4"]


def recorded_artifacts(version: str) -> tuple[SeenArtifact, ...]:
    outcome = Outcome()
    pump = Pump(Masker([]), log=lambda _: None, outcome=outcome)
    pump.feed((RECORDINGS / version / "build-file.txt").read_bytes())
    pump.close()
    return outcome.artifacts


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
    ],
)
def test_what_is_no_manifest_is_refused_by_name(text, message):
    with pytest.raises(PackerError, match=message) as caught:
        parse(text, filename="state/m.json")
    assert caught.value.file == "state/m.json"


@pytest.mark.parametrize("version", VERSIONS)
def test_ours_is_equal_to_packers(version):
    """The same run, with the manifest post-processor and by us from the stream."""
    text = (RECORDINGS / version / "manifest-file.json").read_text(encoding="utf-8")
    theirs = parse(text)
    run = theirs.last_run_uuid
    sizes = {"one.txt": 3, "two, with comma.txt": 3}
    ours = compose(recorded_artifacts(version), sizes, run_uuid=run, build_time=theirs.builds[0].build_time)
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
