# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_build`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils import _core_request
from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import (
    make_paths_absolute,
    open_workspace,
)

# caretaker: Ansible ships what is imported, and the supervisor's process starts there.
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import caretaker as _caretaker  # noqa: F401
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import hcl, pipeline
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import (
    ConfigError,
    Fault,
    HclError,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer import options
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer.results import BuildReport
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process.mask import check_secret

# Ansible's names of the types of options.
_TYPES = {bool: "bool", int: "int", float: "float", str: "str", tuple: "list", dict: "dict"}


def spec() -> dict[str, Any]:
    """The argument spec: what rendering takes too, and the options of a build."""
    return {**_core_request.spec(), **{option.name: _argument(option) for option in options.table()}}


def _argument(option: options.Option) -> dict[str, Any]:
    argument: dict[str, Any] = {"type": _TYPES[option.kind], "default": option.default}
    if option.kind is tuple:
        argument |= {"elements": "str", "default": []}
    if option.choices:
        argument |= {"choices": list(option.choices), "default": str(option.default)}
    if option.secret:
        argument["no_log"] = True
    return argument


SPEC = spec()


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Build the images whose inputs changed.

    Args:
        params: the options, as ``SPEC`` describes them; the action plugin adds ``watched``, the processes
            whose end cancels the builds.
        check_mode: only say what would be built.
        diff: add, for each target, why it is built.
        monitor: who sees Packer's lines while they come.

    Returns:
        What the task returns.
    """
    where = open_workspace(params)
    faults: list[Fault] = []
    secrets = {str(name): _secret(str(name), value, faults) for name, value in params["secrets"].items()}
    extra_env = {
        str(name): _variable(str(name), value, faults) for name, value in params["extra_env"].items()
    }
    if faults:
        raise ConfigError("the options of the build are not right", faults=faults)
    request = _core_request.request(
        params,
        options=options.made_from({**params, "secrets": secrets, "extra_env": extra_env}),
        command=f"packer_build in {params['env']}",
    )
    report = pipeline.build(
        request,
        workspace=where,
        monitor=monitor,
        check=check_mode,
        watched=params.get("watched", ()),
    )
    answer = report.to_dict()
    answer["index"] = {result.target: number for number, result in enumerate(report.results)}
    for entry, result in zip(answer["results"], report.results, strict=True):
        entry["summary"] = result.summary(check=check_mode)
        make_paths_absolute(entry, where)
    if diff:
        answer["diff"] = _diff(report)
    failed = [number for number, result in enumerate(report.results) if not result.status.ok]
    if failed:
        entry = answer["results"][failed[0]]
        first = entry["errors"][0] if entry["errors"] else entry["status"]
        answer["failed"] = True
        answer["msg"] = (
            f"{len(failed)} of {len(report.results)} images were not built; {entry['target']}: {first}"
        )
    return answer


def _secret(name: str, value: object, faults: list[Fault]) -> str:
    """The text of a secret in the environment: a text is itself, everything else is written as HCL."""
    if value is None:
        faults.append(Fault(f"the secret {name!r} has no value"))
        return ""
    plain = _plain(value)
    try:
        text = plain if isinstance(plain, str) else hcl.dumps_value(plain)
    except HclError as error:
        faults.append(Fault(f"the secret {name!r}: {error.message}"))
        return ""
    fault = check_secret(name, text)
    if fault:
        faults.append(fault)
    return text


def _plain(value: object) -> object:
    """A value without what Ansible adds, such as an encrypted text, which gives itself away as a text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _variable(name: str, value: object, faults: list[Fault]) -> str:
    """The text of an environment variable, which a list or a map has none of."""
    if value is None or isinstance(value, (dict, list, tuple)):
        kind = "nothing" if value is None else "a list or a map"
        faults.append(Fault(f"the environment variable {name!r} is {kind}", hint="give a text or a number"))
        return ""
    return str(value)


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
