"""What the events of a run say together, on recorded output of Packer 1.6.6, 1.9.4 and older ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore.packer.stream.outcome import Outcome, SeenArtifact
from hybridcore.packer.stream.pump import Pump
from hybridcore.process.mask import Masker

RECORDINGS = Path(__file__).parents[1] / "recordings"
VERSIONS = ["1.6.6", "1.9.4"]


def outcome_of(data: bytes) -> Outcome:
    outcome = Outcome()
    pump = Pump(Masker([]), log=lambda _: None, outcome=outcome)
    pump.feed(data)
    pump.close()
    return outcome


def recorded(version: str, name: str) -> Outcome:
    return outcome_of((RECORDINGS / version / f"build-{name}.txt").read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_with_an_artifact_without_files_is_a_success(version):
    outcome = recorded(version, "null")
    assert outcome.failures(0) == ()
    assert outcome.finished == {"null.demo"}
    assert [(one.build, one.id, one.files) for one in outcome.artifacts] == [("null.demo", "Null", ())]


@pytest.mark.parametrize("version", VERSIONS)
def test_artifacts_are_listed_once_and_in_order(version):
    outcome = recorded(version, "file")
    assert outcome.failures(0) == ()
    assert outcome.missing() == ()
    assert outcome.artifacts == (
        SeenArtifact("file.one", "packer.file", "File", ("one.txt",)),
        SeenArtifact("file.two", "packer.file", "File", ("two, with comma.txt",)),
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failure_carries_the_message_the_step_and_the_last_lines(version):
    outcome = recorded(version, "fail")
    (failure,) = outcome.failures(1)
    assert failure.build == "null.bad"
    assert failure.message.startswith("Script exited with non-zero exit status: 3")
    assert failure.step.startswith("Running local shell script: ")
    assert "    null.bad: about to fail" in failure.last_lines
    assert not any("artifact" in line for line in failure.last_lines)
    assert "about to fail" in failure.text(str)
    # The other build of the same run is fine, and its artifact known.
    assert outcome.finished == {"file.good"}
    assert [one.build for one in outcome.artifacts] == ["file.good"]


def test_exit_code_0_without_artifacts_is_a_failure():
    """Packer 1.6.6 ends with 0 when -only matches nothing."""
    outcome = recorded("1.6.6", "nothing")
    (failure,) = outcome.failures(0)
    assert "no artifact was made" in failure.message


def test_packers_own_words_when_nothing_matches():
    (failure,) = recorded("1.9.4", "nothing").failures(1)
    assert failure.message.startswith("Error: No builds to run")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_builder_that_this_packer_lacks(version):
    (failure,) = recorded(version, "no-builder").failures(1)
    assert failure.message.startswith("Error: Unknown source type bogus-type\n\n  on a.pkr.hcl line ")
    assert "known builders" in failure.message


def test_missing_plugins_are_told_with_what_to_do():
    line = rb"1407119757,,ui,error,Error: Missing plugins\n\n* github.com/hashicorp/qemu >= 9.0.0\n\n" + b"\n"
    (failure,) = outcome_of(line).failures(1)
    assert failure.message == (
        "Error: Missing plugins\n\n* github.com/hashicorp/qemu >= 9.0.0\n"
        "Install them with packer-hybrid init, or put them into a folder that PACKER_PLUGIN_PATH names."
    )


def test_an_exit_code_alone_is_a_failure_with_the_last_lines():
    outcome = outcome_of(b"1407119757,,ui,message,    qemu.x: was here\n")
    (failure,) = outcome.failures(1)
    assert failure.message == "Packer ended with exit code 1"
    assert failure.last_lines == ("    qemu.x: was here",)
    assert "signal" in outcome.failures(None)[0].message


def test_an_error_count_is_a_failure_though_the_exit_code_is_0():
    outcome = outcome_of(b"1407119757,,error-count,2\n")
    assert outcome.failures(0)[0].message == "Packer counted 2 errors"


def test_a_build_that_did_not_finish_is_a_failure_though_another_did():
    data = (RECORDINGS / "1.6.6" / "build-null.txt").read_bytes()
    outcome = outcome_of(data + b"1407119757,,ui,say,==> qemu.other: Starting VM\n")
    (failure,) = outcome.failures(0)
    assert (failure.build, failure.message, failure.step) == (
        "qemu.other",
        "the build did not finish",
        "Starting VM",
    )


NAMELESS = b"""\
1795431932,,ui,say,==> vsphere-clone.x: Convert VM into template...
1795431932,,ui,say,Build 'vsphere-clone.x' finished after 302 milliseconds.
1795431932,vsphere-clone.x,artifact-count,1
1795431932,vsphere-clone.x,artifact,0,builder-id,
1795431932,vsphere-clone.x,artifact,0,id,
1795431932,vsphere-clone.x,artifact,0,string,
1795431932,vsphere-clone.x,artifact,0,files-count,0
1795431932,vsphere-clone.x,artifact,0,end
"""


def test_an_artifact_without_any_name_is_a_failure_though_the_exit_code_is_0():
    """As Packer 1.6.6 prints it when the plugin of the builder was killed during a post-processor."""
    (failure,) = outcome_of(NAMELESS).failures(0)
    assert failure.build == "vsphere-clone.x"
    assert "the plugin that knows it has ended" in failure.message
    named = NAMELESS.replace(b"0,id,", b"0,id,web-1")
    assert outcome_of(named).failures(0) == ()


def test_artifacts_that_were_cut_off_are_told():
    data = (RECORDINGS / "1.6.6" / "build-file.txt").read_bytes()
    cut = data[: data.index(b"file.two,artifact,0,file,0")]
    assert outcome_of(cut).missing() != ()
    assert outcome_of(data).missing() == ()


PANIC = b"""\
1407119757,,ui,say,==> qemu.x: Starting VM
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]

goroutine 1 [running]:
main.main()
!!!!!!!!!!!!!!!!!!!!!!!!!!! PACKER CRASH !!!!!!!!!!!!!!!!!!!!!!!!!!!!
"""


def test_a_go_panic_is_told_as_a_crash():
    outcome = outcome_of(PANIC)
    assert outcome.crashed
    failures = outcome.failures(1)
    assert "Packer crashed: panic: runtime error: invalid memory address" in failures[-1].message
    assert "goroutine 1 [running]:" in failures[-1].message


def test_memory_does_not_grow_with_the_output():
    outcome = Outcome()
    pump = Pump(Masker([]), log=lambda _: None, outcome=outcome, line=lambda text, kind: None)
    for number in range(3000):
        pump.feed(b"1407119757,,ui,error,error %d %s\n" % (number, b"x" * 5000))
        pump.feed(b"text %d %s\n" % (number, b"y" * 5000))
    (first, *_) = outcome.failures(1)
    assert len(outcome.failures(1)) <= 20
    assert len(first.message) <= 2000


OLD_CAPTURES = {
    "error_aws_image_not_found": "Error querying AMI: The image id",
    "error_aws_provisioners_faild": "Script exited with non-zero exit status: 1",
    "error_concurrency": "Script exited with non-zero exit status: 2",
    "error_openstack_image_not_found": "Error launching source server",
    "error_openstack_provisioners_faild": "Script exited with non-zero exit status: 1",
    "error_aws_ssh_faild": "Error waiting for SSH",
    "error_openstack_ssh_faild": "Error waiting for SSH",
}


def test_real_captures_of_failures(corpus):
    """The two that failed at SSH ended with artifact-count 0, and no line of the type error."""
    for name, message in OLD_CAPTURES.items():
        data = (corpus / "machine-readable" / f"cloud_conductor__{name}.csv").read_bytes()
        for code in (0, 1):
            failures = outcome_of(data).failures(code)
            assert message in str(failures[0]), name
    data = (corpus / "machine-readable" / "cloud_conductor__error_aws_provisioners_faild.csv").read_bytes()
    # The step that failed, and not the cleaning up after it.
    assert outcome_of(data).failures(1)[0].step.startswith("Provisioning with shell script")
    data = (corpus / "machine-readable" / "cloud_conductor__error_concurrency.csv").read_bytes()
    assert len(outcome_of(data).failures(1)) == 2


def test_real_captures_of_successes(corpus):
    data = (corpus / "machine-readable" / "cloud_conductor__success.csv").read_bytes()
    outcome = outcome_of(data)
    assert outcome.failures(0) == ()
    assert len(outcome.artifacts) == 2
    assert {one.builder_id for one in outcome.artifacts} == {"mitchellh.amazonebs", "mitchellh.openstack"}
    data = (corpus / "machine-readable" / "cloud_conductor__success_with_multiple_roles.csv").read_bytes()
    outcome = outcome_of(data)
    assert outcome.failures(0) == ()
    assert outcome.artifacts[0].id == "us-west-1:ami-77df3833"
