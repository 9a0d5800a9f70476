#!/usr/bin/env python3
"""Random variables, values and conditions: what we say against what Packer says, for every Packer at hand.

    python tests/fuzz/fuzz.py --cases 20000 --seed 1

For each case both must agree whether the declaration and the value are right; where both take it, Packer must
find the same value in our rendered file as in the files that it was rendered from; and an expression that we
compute must have Packer's value. What we leave to Packer is counted, and is no fault. Differences that are
known stand in known.py, each with a reason. The seed decides everything. Exit code 1 on any other difference.
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).resolve().parent)]

from cases import Case, Maker  # noqa: E402
from judges import ABSENT, ERROR, Ours, Packer, Verdict  # noqa: E402
from known import reason  # noqa: E402

from hybridcore import hcl  # noqa: E402
from tests.support.tools import build_tools  # noqa: E402

BATCH = 150


@dataclass
class Report:
    """What came out for one Packer.

    Args:
        cases: how many were tried.
        taken: how many both take.
        open: how many we left to Packer.
        computed: how many expressions we computed.
        known: differences that are known, by reason.
        found: the others: what differs, the case, what each said.
    """

    cases: int = 0
    taken: int = 0
    open: int = 0
    computed: int = 0
    known: collections.Counter[str] = field(default_factory=collections.Counter)
    found: list[str] = field(default_factory=list)


def readable(case: Case) -> bool:
    """Whether the texts of a case can stand in a file beside others."""
    try:
        hcl.loads(case.declaration)
        if case.value is not None and not case.json:
            hcl.loads(f"x = {case.value}\n")
        elif case.value is not None:
            json.loads(case.value, object_pairs_hook=_once)
    except (hcl.HclError, ValueError):
        return False
    return True


def _once(pairs: list[tuple[str, object]]) -> None:
    if len({unicodedata.normalize("NFC", name) for name, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")


def judge(cases: Sequence[Case], packer: Packer) -> tuple[dict[str, Verdict], dict[str, Verdict]]:
    """What we say, and what Packer says, to a batch."""
    ours, _ = Ours(packer.version).verdicts(cases)
    theirs = packer.verdicts(cases)
    both = [case for case in cases if ours[case.name].takes and theirs[case.name].takes]
    if not both:
        return ours, theirs
    _, rendered = Ours(packer.version).verdicts(both)
    asked = [f"var.{case.name}" for case in both]
    wanted = [case for case in both if case.expression]
    answers = packer.compute(both, [*asked, *(case.expression for case in wanted)], None)
    again = packer.compute(both, asked, rendered)
    for case, value, other in zip(both, answers, again, strict=False):
        theirs[case.name].value, theirs[case.name].rendered = value, other
    for case, value in zip(wanted, answers[len(asked) :], strict=True):
        theirs[case.name].result = value
    return ours, theirs


def difference(ours: Verdict, theirs: Verdict) -> str:
    """In which way we and Packer differ; empty when we do not."""
    if ours.takes != theirs.takes:
        if not ours.takes:
            return "refused by us"
        return "" if ours.open else "refused by Packer"
    if not ours.takes:
        return ""
    if theirs.value != theirs.rendered and ERROR not in (theirs.value, theirs.rendered):
        return "rendered otherwise"
    if ours.result is not ABSENT and ours.result != theirs.result and theirs.result is not ABSENT:
        return "computed otherwise"
    return ""


def run(packer: Packer, seed: int, count: int, *, show: bool = False) -> Report:
    """Try cases on one Packer.

    Args:
        packer: the program.
        seed: decides the cases.
        count: how many.
        show: whether to print differences as they are found.
    """
    report = Report()
    maker = Maker(seed)
    cases = [maker.case(number) for number in range(count)]
    together = [case for case in cases if readable(case)]
    alone = [case for case in cases if not readable(case)]
    batches = [together[at : at + BATCH] for at in range(0, len(together), BATCH)]
    for batch in [*batches, *([case] for case in alone)]:
        ours, theirs = judge(batch, packer)
        for case in batch:
            one, other = ours[case.name], theirs[case.name]
            differs = difference(one, other) and not reason(case, one, other, packer.version)
            if differs and len(batch) > 1:  # once more without the others
                again = judge([case], packer)
                one, other = again[0][case.name], again[1][case.name]
            report.cases += 1
            report.taken += one.takes and other.takes
            report.open += one.open or bool(case.expression and one.result is ABSENT and one.takes)
            report.computed += bool(case.expression) and one.result is not ABSENT
            if how := difference(one, other):
                if why := reason(case, one, other, packer.version):
                    report.known[why] += 1
                    continue
                text = f"{how}, Packer {packer.version}:\n{case}\nours: {one}\ntheirs: {other}\n"
                report.found.append(text)
                if show:
                    print(text, flush=True)
    return report


def packers(folder: Path) -> list[Packer]:
    """Debian's Packer and the one that the tests build."""
    found = []
    for program in ("packer", build_tools().packer):
        version = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        place = folder / version
        place.mkdir()
        found.append(Packer(program, version, place))
    return found


def main() -> int:
    """Run by the arguments of the command line; 1 when something differs that is not known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000, help="how many cases, for each Packer")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="decides the cases")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.cases} cases", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        at_hand = packers(Path(folder))
        reports = pool.map(lambda packer: run(packer, options.seed, options.cases, show=True), at_hand)
        for packer, report in zip(at_hand, reports, strict=True):
            print(
                f"Packer {packer.version}: {report.cases} cases, {report.taken} taken by both, "
                f"{report.computed} expressions computed, {report.open} left to Packer, "
                f"{len(report.found)} differences, {sum(report.known.values())} that are known"
            )
            for why, times in report.known.most_common():
                print(f"  {times:5} {why}")
            failed = bool(report.found) or locals().get("failed", False)
    print(f"{time.monotonic() - start:.0f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
