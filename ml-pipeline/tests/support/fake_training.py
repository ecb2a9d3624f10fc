"""A stand-in for the training command that follows its output protocol; the seed selects a failure."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SUCCEEDS, FAILS, HANGS, PUBLISHES_NOTHING = 1, 2, 3, 4


def report(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[sys.argv.index("--seed") + 1])
    report(progress=0.1, step="features")
    if seed == FAILS:
        sys.stdout.write("a training set without failures\n")
        sys.exit(3)
    if seed == HANGS:
        # Ignores SIGTERM and has a child of its own.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / "pids").write_text(f"{os.getpid()} {child.pid}")
        report(progress=0.5, step="trees")
        time.sleep(600)
    if seed != PUBLISHES_NOTHING:
        report(progress=0.9, step="publishing", version="v2")


if __name__ == "__main__":
    main()
