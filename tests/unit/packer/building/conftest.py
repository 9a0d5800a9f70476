"""Batches of a stand-in for Packer, planned and ready to be built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from hybridcore import pipeline, templates
from hybridcore.packer import runs
from hybridcore.packer.building.job import Batch
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning.plan import Planned, plan
from hybridcore.packer.program.capabilities import probe_workspace
from tests.support.builds import Recorder
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

MakeBatch: TypeAlias = Callable[..., tuple[Batch, list[Planned]]]


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture
def make_batch(space: WorkspaceFolder, fake_packer: FakePacker) -> MakeBatch:
    """`make_batch(*targets, **options)`: null targets, planned; their folder only when `ready`."""

    def make(*targets: str, ready: bool = True, **options: object) -> tuple[Batch, list[Planned]]:
        for target in targets:
            space.null(target)
        where = space.open()
        request = pipeline.Request(env="dev", targets=targets, options=BuildOptions(**options))
        pipeline.render(request, where, write=True)
        capabilities = probe_workspace(where)
        loaded = templates.load_all(targets, where)
        planned = plan(loaded, env="dev", workspace=where, capabilities=capabilities, options=request.options)
        run_id = runs.new_run_id()
        folder = runs.run_folder(where, run_id)
        batch = Batch(
            where,
            "dev",
            request.options,
            capabilities,
            run_id,
            folder,
            Recorder(),
            parallel=request.options.parallel_builds or 2,
            most_open=100,
        )
        if ready:
            folder.mkdir(parents=True, mode=0o700)
        return batch, planned

    return make
