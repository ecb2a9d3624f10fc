"""Run a command that must not outlive its parent: ``python -m battery_ml.jobs.supervised_process COMMAND...``.

The parent holds the other end of standard input. When it closes, because the parent requests the end or has died for
whatever reason, the command's whole process group is ended. The command runs with a lower CPU priority than its parent.
"""

import os
import signal
import subprocess
import sys
import threading
from typing import Final

GRACE_S: Final = 5.0
NICENESS: Final = 10
"""Added to the parent's: predictions and the live feed come first."""


def main() -> None:
    """Run the command of the arguments and exit with its status."""
    os.nice(NICENESS)
    child = subprocess.Popen(  # noqa: S603  # the service's own command
        sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True
    )
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    code = child.wait()
    # Processes that the command started and left behind end with it.
    _signal(child, signal.SIGKILL)
    sys.exit(code if code >= 0 else 128 - code)


def _end_with_parent(child: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    _signal(child, signal.SIGTERM)
    try:
        child.wait(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(child, signal.SIGKILL)


def _signal(child: "subprocess.Popen[bytes]", what: signal.Signals) -> None:
    try:
        os.killpg(child.pid, what)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
