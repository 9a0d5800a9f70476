"""What ``packer_config`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import pipeline, workspace

SPEC: dict[str, Any] = {
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
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: object) -> dict[str, Any]:
    """Render the configuration of targets.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: only say what would change.
        diff: add the text of each file that changes, before and after, without secrets.
        monitor: not used; rendering has no lines of its own to show.

    Returns:
        What the task returns.
    """
    named = params["workspace"]
    where = workspace.open_workspace(named) if named else workspace.find()
    switches = params["provisioners"] or {}
    request = pipeline.Request(
        env=params["env"],
        targets=params["targets"],
        vars=params["vars"],
        ansible=switches.get("ansible", True),
        puppet=switches.get("puppet", False),
    )
    result = pipeline.render(request, where, write=not check_mode)
    texts = ("before", "after")
    answer: dict[str, Any] = {
        "changed": any(file["changed"] for file in result["files"]),
        "files": [
            {name: value for name, value in file.items() if name not in texts} for file in result["files"]
        ],
        "warnings": result["warnings"],
    }
    if diff:
        answer["diff"] = [
            {
                "before_header": file["path"],
                "after_header": file["path"],
                "before": file["before"],
                "after": file["after"],
            }
            for file in result["files"]
            if file["changed"]
        ]
    return answer
