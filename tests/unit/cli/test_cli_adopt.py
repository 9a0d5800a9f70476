"""``packer-hybrid adopt``: what it prints, writes, and says with its exit code."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from hybridcore.cli import main
from hybridcore.workspace import ENVIRONMENT_VARIABLE

TEMPLATE = 'source "null" "web" {}\nbuild {\n  sources = ["source.null.web"]\n}\n'
TABLE = {"linux/null/web": {"template": "packer"}}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that is no workspace yet, as the current folder; there is no Packer."""
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    root = tmp_path / "repository"
    (root / "packer").mkdir(parents=True)
    (root / "packer/web.pkr.hcl").write_text(TEMPLATE)
    monkeypatch.chdir(root)
    return root


def test_the_proposal_is_toml_and_nothing_is_written(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adopt"]) == 0
    out, err = capsys.readouterr()
    assert tomllib.loads(out) == {"images": TABLE}
    assert f"{repository}/packer-hybrid.toml is to be created; --write does it" in err
    assert "what Packer can build is not said: " in err
    assert sorted(path.name for path in repository.iterdir()) == ["packer"]


def test_write_appends_and_leaves_what_is_there(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = repository / "packer-hybrid.toml"
    old = "# mine\n[build]\nkeep_images = 3"
    file.write_text(old)
    file.chmod(0o640)
    assert main(["adopt", "--check"]) == 5
    assert capsys.readouterr().out == "new: linux/null/web\n"
    assert file.read_text() == old
    assert main(["adopt", "--write"]) == 0
    assert capsys.readouterr().out == "written: linux/null/web\n"
    assert file.read_text().startswith(f"{old}\n\n# ")
    assert tomllib.loads(file.read_text()) == {"build": {"keep_images": 3}, "images": TABLE}
    assert file.stat().st_mode & 0o777 == 0o640
    before = file.read_text()
    assert main(["adopt", "--write"]) == 0
    assert file.read_text() == before
    assert main(["builders", "list"]) == 0


def test_check_says_what_has_vanished(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", "--write"]) == 0
    assert main(["adopt", "--check"]) == 0
    (repository / "packer").rename(repository / "other")
    capsys.readouterr()
    assert main(["--json", "adopt", "--check"]) == 5
    said = json.loads(capsys.readouterr().out)
    assert [fault["message"] for fault in said["vanished"]] == [
        "linux/null/web: template = 'packer': it is not there"
    ]
    (image,) = said["images"]
    assert (image["targets"], image["template"], said["written"]) == (
        ["linux/null/web-other"],
        "other",
        False,
    )


def test_only_what_lies_below_a_path(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "other").mkdir()
    (repository / "other/db.pkr.hcl").write_text(TEMPLATE.replace("web", "db"))
    assert main(["adopt", "packer", "--write"]) == 0
    assert tomllib.loads((repository / "packer-hybrid.toml").read_text()) == {"images": TABLE}
    assert main(["--workspace", str(repository), "adopt", ".."]) == 1
    assert "does not lie in the workspace" in capsys.readouterr().err
    assert main(["adopt", "none"]) == 1


def test_a_folder_without_templates_says_what_lies_there(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "packer/web.pkr.hcl").rename(repository / "packer/web.pkr.json")
    assert main(["adopt", "--write"]) == 1
    err = capsys.readouterr().err
    assert "no template in" in err
    assert "there is: packer" in err
    assert 'packer/web.pkr.json:1: column 1: expected a value of JSON, found "source"' in err
    assert not (repository / "packer-hybrid.toml").exists()


def test_settings_that_would_not_be_right_are_not_written(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = 'images = {"linux/null/x" = {template = "packer", only = "null.x"}}\n'
    (repository / "packer-hybrid.toml").write_text(old)
    assert main(["adopt", "--write"]) == 1
    assert "the settings are not TOML" in capsys.readouterr().err
    assert (repository / "packer-hybrid.toml").read_text() == old
