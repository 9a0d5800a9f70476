"""What it costs to log safely with several processes, against a handler that is safe with one alone."""

from __future__ import annotations

import logging
import logging.handlers
import tempfile
from pathlib import Path

from measure import emit, in_turn

from hybridcore import logs

RECORDS = 100_000
ROUNDS = 3
SIZE = {"max_bytes": 1_000_000, "backup_count": 5}


def write(handler: logging.Handler) -> None:
    """Log all the records."""
    logger = logging.Logger("hybridcore.bench", logging.INFO)
    logger.addHandler(handler)
    for number in range(RECORDS):
        logger.info("line %d of the build of an image", number)


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).resolve().parent) as folder:
        theirs = logging.handlers.RotatingFileHandler(
            f"{folder}/theirs.log", maxBytes=SIZE["max_bytes"], backupCount=SIZE["backup_count"]
        )
        theirs.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s %(name)s: %(message)s"))
        for form, formatter in (("text", logs.Formatter()), ("JSON", logs.JsonFormatter())):
            ours = logs.RollingHandler(Path(folder) / f"ours-{form}.log", **SIZE)
            ours.setFormatter(formatter)
            times = in_turn(lambda ours=ours: write(ours), lambda: write(theirs), rounds=ROUNDS)
            emit(f"{RECORDS:,} log records as {form}; RotatingFileHandler", *times, "<= 1.5")
            ours.close()
        theirs.close()


if __name__ == "__main__":
    main()
