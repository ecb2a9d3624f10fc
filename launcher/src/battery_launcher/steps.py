"""Run one of the platform's commands as a step of the launch."""

import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from battery_launcher.attached import end_with_parent
from battery_launcher.errors import LaunchFailed

_TAIL_LINES = 12
_END_WITHIN_S = 3.0


class StepCommand:
    """A running command whose output goes to a log; it ends with the launcher, however the launcher ends."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, progress: bool = False
    ) -> None:
        self._command = command
        self._log = log
        if not Path(command[0]).exists():
            raise LaunchFailed(f"The command {Path(command[0]).name} is not installed; run `make setup`.")
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own commands
                list(command),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if progress else output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509  # only this thread forks
            )

    @property
    def output(self) -> IO[bytes]:
        """Standard output of a command started with ``progress``."""
        assert self._process.stdout is not None
        return self._process.stdout

    def wait(self) -> None:
        """Wait until it ends; a failure raises with the last lines of the log."""
        try:
            code = self._process.wait()
        finally:
            self.end()
        if code != 0:
            lines = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
            name = " ".join([Path(self._command[0]).name, *self._command[1:2]])
            raise LaunchFailed("\n".join([f"`{name}` failed with exit code {code}; the end of {self._log}:", *lines]))

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """Stop it if it is still running."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=_END_WITHIN_S)


def parse_progress(line: bytes) -> tuple[int, int] | None:
    """Return ``done`` and ``total`` of a JSON progress line, None for any other line."""
    try:
        record = json.loads(line)
        return int(record["done"]), int(record["total"])
    except (ValueError, KeyError, TypeError):
        return None
