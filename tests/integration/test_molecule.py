"""The molecule scenario: the ten-line playbook on a null image, converged, idempotent, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def test_molecule_scenario_default(ansible, installed_collections, repository, tmp_path):
    ansible.collections_path = installed_collections
    done = ansible.run(
        "molecule",
        *("test", "--scenario-name", "default"),
        cwd=repository / "extensions",
        env={"HOME": str(tmp_path), "MOLECULE_EPHEMERAL_DIRECTORY": str(Path(tmp_path, "ephemeral"))},
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert "[default > verify] Executed: Successful" in done.stdout
    assert "[default > idempotence] Executed: Successful" in done.stdout
