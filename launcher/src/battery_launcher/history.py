"""History of the first run: generated before the feed starts, loaded behind it.

The feed continues where the generated history ends, so the history comes first. Loading is idempotent: after a launch
was killed half-way, the next one loads the same files again without storing anything twice.
"""

import shutil
import threading
import time
from datetime import UTC, datetime

from battery_launcher.console import ProgressLine, Screen
from battery_launcher.data_folder import Steps
from battery_launcher.errors import LaunchFailed
from battery_launcher.programs import Platform
from battery_launcher.steps import StepCommand, parse_progress

_LOADED = "history-loaded"


class HistoryGeneration:
    """Generates the history of the fleet once and loads it into the gateway."""

    def __init__(self, platform: Platform, steps: Steps, screen: Screen) -> None:
        self._platform = platform
        self._folder = platform.folder
        self._steps = steps
        self._screen = screen
        self._load: _Load | None = None

    @property
    def is_pending(self) -> bool:
        """Whether a history has yet to be generated or loaded."""
        return self._platform.settings.history_days > 0 and not self._steps.is_done(_LOADED)

    def generate(self) -> None:
        """Generate the files and the checkpoint from which the feed continues, unless an earlier launch did."""
        if not self.is_pending or (self._folder.history / "manifest.json").exists():
            return
        settings = self._platform.settings
        shutil.rmtree(self._folder.history, ignore_errors=True)
        end = datetime.now(UTC).replace(second=0, microsecond=0)
        arguments = ["history", "--days", str(settings.history_days), "--end", end.strftime("%Y-%m-%dT%H:%M:%SZ")]
        arguments += ["--fleet", str(self._folder.fleet_csv), "--out", str(self._folder.history)]
        arguments += ["--checkpoint", str(self._folder.initial_checkpoint), "--progress-json"]
        if settings.seed is not None:
            arguments += ["--seed", str(settings.seed)]
        title = f"{settings.history_days} days of history generated"
        began = time.monotonic()
        load = _Load(self._platform, "battery-synth", arguments, self._screen.progress("generating history"))
        load.wait()
        self._screen.done(title, time.monotonic() - began)

    def begin_loading(self) -> None:
        """Start loading the files while the platform runs."""
        if self.is_pending:
            arguments = ["load-history", str(self._folder.history), "--progress-json"]
            self._load = _Load(self._platform, "battery-api", arguments, self._screen.progress("loading history"))

    def poll(self) -> None:
        """Complete a load that has ended, or report why it failed; call this periodically."""
        if self._load is None or self._load.is_running:
            return
        load, self._load = self._load, None
        try:
            load.wait()
        except LaunchFailed as failure:
            # The live feed and its alerts do not depend on the history and continue.
            self._screen.fail(str(failure))
            self._screen.note("The history is incomplete; the next `make up` tries again. Live data continues.")
            return
        self._steps.mark(_LOADED)
        shutil.rmtree(self._folder.history, ignore_errors=True)
        self._screen.done("history loaded", load.took_s)

    def end(self) -> None:
        """Stop a running load; the next launch starts it again."""
        if self._load is not None:
            self._load.end()


class _Load:
    """A command whose progress a separate thread reads."""

    def __init__(self, platform: Platform, name: str, arguments: list[str], line: ProgressLine) -> None:
        log = platform.folder.logs / "setup.log"
        command = platform.command(name, *arguments)
        self._line = line
        self._began = time.monotonic()
        self._command = StepCommand(command, platform.admin_environment(), log, progress=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.took_s = 0.0

    @property
    def is_running(self) -> bool:
        return self._command.poll() is None

    def wait(self) -> None:
        try:
            self._command.wait()
            self._reader.join(timeout=5)
        finally:
            self.took_s = time.monotonic() - self._began
            self._line.close()

    def end(self) -> None:
        self._command.end()
        self._line.close()

    def _read(self) -> None:
        for raw in self._command.output:
            progress = parse_progress(raw)
            if progress is not None:
                self._line.update(*progress)
