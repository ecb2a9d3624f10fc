"""supervisord with logs that cannot end it: ``python -m battery_launcher.supervisor_process``, arguments as its own.

It writes the output of every program to a file and dies of the first error, such as a full disk, and everything that
it supervises dies with it. Here a line that finds no room is dropped, and the log goes on when there is room again.
"""

import contextlib
from pathlib import Path
from typing import Any, BinaryIO

from supervisor import loggers, supervisord


class PatientFileHandler(loggers.RotatingFileHandler):  # type: ignore[misc]  # the package has no types
    """A log file that drops what it cannot write."""

    stream: BinaryIO
    baseFilename: str  # noqa: N815  # names of the base class

    def emit(self, record: Any) -> None:
        """Write a record, opening the file again after a rotation that failed half-way."""
        with contextlib.suppress(OSError, ValueError):
            if self.stream.closed:
                self.stream = Path(self.baseFilename).open("ab")  # noqa: SIM115  # open for the life of the process
            super().emit(record)

    def flush(self) -> None:
        """Write what is buffered; a later record tries again."""
        with contextlib.suppress(OSError, ValueError):
            super().flush()

    def handleError(self) -> None:  # noqa: N802  # the name of the base class
        """Drop the record: there is nowhere to report it."""


def main() -> None:
    """Run supervisord."""
    # It builds the handlers of its logs, which all rotate, from this name.
    loggers.RotatingFileHandler = PatientFileHandler
    supervisord.main()


if __name__ == "__main__":
    main()
