"""A stand-in for battery-synth that writes small lives and prints progress as it does; the first argument is a mode."""

import json
import os
import sys
import time
from pathlib import Path

from tests.support.tiny_dataset import write_dataset

WORKS, FAILS, HANGS = "works", "fails", "hangs"


def main() -> None:
    mode, arguments = sys.argv[1], sys.argv[2:]
    assert arguments[0] == "training"
    options = dict(zip(arguments[1:-1:2], arguments[2:-1:2], strict=True))
    assert arguments[-1] == "--progress-json"
    out = Path(options["--out"])
    for done in range(3):
        sys.stdout.write(json.dumps({"phase": "generate", "done": done, "total": 3}) + "\n")
        sys.stdout.flush()
    if mode == FAILS:
        sys.exit("no wind in the sails")
    if mode == HANGS:
        out.mkdir(parents=True)
        (out / "pid").write_text(str(os.getpid()))
        time.sleep(600)
    write_dataset(out, int(options["--seed"]))
    with (out.parents[1] / "made").open("a") as log:
        log.write(json.dumps({"out": str(out), **options}) + "\n")


if __name__ == "__main__":
    main()
