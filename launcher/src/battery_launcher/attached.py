"""Become another program that ends when its parent does: ``python -m battery_launcher.attached RECIPE.json``.

Every supervised program starts this way, so that none outlives a killed supervisor. The recipe, which only its owner
may read, also keeps secrets out of command lines and out of the supervisor's configuration.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from battery_launcher.private_passage import become

_PR_SET_PDEATHSIG = 1


def end_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number)


def main() -> None:
    """Read the recipe and replace this process by its program."""
    parent = os.getppid()
    recipe = json.loads(Path(sys.argv[1]).read_text())
    if recipe["user"] is not None:
        become(recipe["user"], [Path(folder) for folder in recipe["folders"]])
    # After the change of user, which clears it.
    end_with_parent(getattr(signal, recipe["end_signal"]))
    if os.getppid() != parent:
        sys.exit("the parent process has ended")
    os.chdir(recipe["directory"])
    os.execve(recipe["command"][0], recipe["command"], recipe["environment"])  # noqa: S606  # our own recipe, no shell


if __name__ == "__main__":
    main()
