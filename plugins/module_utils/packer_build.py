"""What ``packer_build`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import pipeline, workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import ConfigError
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer.mask import check_secret
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer.results import (
    BuildOptions,
    BuildReport,
    OnError,
)

SPEC: dict[str, Any] = {
    "workspace": {"type": "path"},
    "env": {"type": "str", "required": True},
    "targets": {"type": "list", "elements": "raw", "default": []},
    "vars": {"type": "dict", "default": {}},
    "provisioners": {
        "type": "dict",
        "default": {},
        "options": {
            "ansible": {"type": "bool", "default": True},
            "puppet": {"type": "bool", "default": False},
        },
    },
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "extra_env": {"type": "dict", "default": {}},
    "force": {"type": "bool", "default": False},
    "only": {"type": "list", "elements": "str", "default": []},
    "except": {"type": "list", "elements": "str", "default": []},
    "on_error": {"type": "str", "default": "cleanup", "choices": [value.value for value in OnError]},
    "parallel_builds": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 0},
    "retries": {"type": "int", "default": 0},
    "lock_timeout": {"type": "float", "default": 0},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Build the images whose inputs changed.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: only say what would be built.
        diff: add, for each target, why it is built.
        monitor: who sees Packer's lines while they come.

    Returns:
        What the task returns.
    """
    named = params["workspace"]
    where = workspace.open_workspace(named) if named else workspace.find()
    secrets = {str(name): str(value) for name, value in params["secrets"].items()}
    faults = [fault for name, value in secrets.items() if (fault := check_secret(name, value))]
    if faults:
        raise ConfigError("secrets are not right", faults=faults)
    provisioners = params["provisioners"] or {}
    request = pipeline.Request(
        env=params["env"],
        targets=params["targets"],
        vars=params["vars"],
        ansible=provisioners.get("ansible", True),
        puppet=provisioners.get("puppet", False),
        options=BuildOptions(
            only=tuple(params["only"]),
            except_=tuple(params["except"]),
            on_error=OnError(params["on_error"]),
            parallel_builds=params["parallel_builds"],
            force=params["force"],
            timeout=params["timeout"],
            retries=params["retries"],
            lock_timeout=params["lock_timeout"],
            secrets=secrets,
            extra_env={str(name): str(value) for name, value in params["extra_env"].items()},
        ),
        command=f"packer_build in {params['env']}",
    )
    report = pipeline.build(request, workspace=where, monitor=monitor, check=check_mode)
    answer = report.to_dict()
    answer["index"] = {result.target: number for number, result in enumerate(report.results)}
    for result, text in zip(answer["results"], report.results, strict=True):
        result["summary"] = text.summary(check=check_mode)
        # The state keeps relative paths; a task that comes next wants to open the files.
        for file in (file for artifact in result["artifacts"] for file in artifact["files"]):
            file["path"] = os.path.join(where.root, file["path"])
        for name in ("log_path", "manifest_path"):
            if result[name]:
                result[name] = os.path.join(where.root, result[name])
    if diff:
        answer["diff"] = _diff(report)
    failed = [result for result in report.results if not result.status.ok]
    if failed:
        first = failed[0].errors[0] if failed[0].errors else failed[0].status.value
        answer["failed"] = True
        answer["msg"] = (
            f"{len(failed)} of {len(report.results)} images were not built; {failed[0].target}: {first}"
        )
    return answer


def _diff(report: BuildReport) -> list[dict[str, str]]:
    return [
        {
            "before_header": result.target,
            "after_header": result.target,
            "before": "",
            "after": "".join(f"{reason}\n" for reason in result.reasons),
        }
        for result in report.results
        if result.reasons
    ]
