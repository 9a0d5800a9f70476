#!/usr/bin/env python3
"""Run every tests/bench/bench_*.py and print one table; `run.py state` runs those with `state` in their name.

Each script prints JSON lines: {"row", "ours", "theirs", "ratio", "budget"}. `ours` and `theirs` are seconds,
or a text; `ratio` is a number; `budget` is a text that starts with `<=` or `>=` and a number. Everything else
that a script prints goes to standard error. Exit code 1 when a script failed; a missed budget is shown and is
no error, since one run on a busy machine proves nothing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
COLUMNS = ("row", "ours", "theirs", "ratio", "budget", "verdict")


def verdict(ratio: object, budget: str) -> str:
    """`kept`, `MISSED`, or nothing where a row has no number to compare."""
    found = re.match(r"\s*(<=|>=)\s*([\d.]+)", budget)
    if not found or not isinstance(ratio, (int, float)):
        return ""
    bound = float(found[2])
    return "kept" if (ratio <= bound if found[1] == "<=" else ratio >= bound) else "MISSED"


def run(script: Path) -> tuple[list[dict[str, Any]], bool]:
    """Run one script; its rows, and whether it ended well."""
    print(f"bench: {script.name}", file=sys.stderr, flush=True)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE.parent.parent,
        env=os.environ | {"PYTHONPATH": f"{HERE.parent.parent}{os.pathsep}{HERE}"},
    )
    assert process.stdout is not None
    rows = []
    for line in process.stdout:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if isinstance(row, dict) and "row" in row:
            rows.append(row)
        else:
            print(line, end="", file=sys.stderr, flush=True)
    return rows, process.wait() == 0


def shown(value: object, name: str) -> str:
    """A cell of the table."""
    if isinstance(value, float):
        return f"{value:.2f}" if name == "ratio" else f"{value:.3g} s"
    return "" if value is None else str(value)


def main() -> int:
    """Run, and print the table."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    scripts = [script for script in sorted(HERE.glob("bench_*.py")) if wanted in script.stem]
    if not scripts:
        names = ", ".join(script.stem.removeprefix("bench_") for script in sorted(HERE.glob("bench_*.py")))
        print(f"bench: no script is named like {wanted!r}; there are {names}", file=sys.stderr)
        return 2
    rows, failed = [], []
    for script in scripts:
        got, well = run(script)
        rows += got
        if not well:
            failed.append(script.name)
    cells = [list(COLUMNS)]
    for row in rows:
        row["verdict"] = verdict(row.get("ratio"), str(row.get("budget", "")))
        cells.append([shown(row.get(name), name) for name in COLUMNS])
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    for name in failed:
        print(f"bench: {name} FAILED", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
