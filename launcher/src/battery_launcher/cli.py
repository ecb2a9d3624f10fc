"""``battery-up``: one command brings the platform up."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from battery_launcher.console import Screen
from battery_launcher.data_folder import DataFolder
from battery_launcher.errors import LaunchFailed, StopRequested
from battery_launcher.launch import launch
from battery_launcher.settings import LauncherSettings

app = typer.Typer(help="Bring the battery platform up on this machine.", add_completion=False)
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@app.callback(invoke_without_command=True)
def up(context: typer.Context) -> None:
    """Start everything and stay in the foreground until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    screen = Screen(Console(soft_wrap=not sys.stdout.isatty()))
    for number in _STOP_SIGNALS:
        signal.signal(number, _request_stop)
    try:
        launch(LauncherSettings.from_environment(), screen)
    except LaunchFailed as failure:
        screen.fail(str(failure))
        raise typer.Exit(1) from None
    except StopRequested:
        screen.note("Everything has stopped.")


@app.command()
def reset(*, force: Annotated[bool, typer.Option("--force", envvar="FORCE", help="Do not ask.")] = False) -> None:
    """Remove the database, the secrets and everything else that the platform keeps in DATA_DIR."""
    console = Console()
    try:
        settings = LauncherSettings.from_environment()
        folder = DataFolder(settings.data_dir)
        if not folder.is_ours:
            console.print(f"{folder.root} contains no platform data; nothing to remove.")
            return
        with folder.locked():
            if not force:
                typer.confirm(f"Remove {folder.root} with all readings, alerts, accounts and secrets?", abort=True)
            folder.remove()
        console.print(f"Removed {folder.root}.")
    except LaunchFailed as failure:
        Screen(console).fail(str(failure))
        raise typer.Exit(1) from None


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    # Only once: a second Ctrl-C must not interrupt the orderly shutdown, which has a time limit.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise StopRequested


def main() -> None:
    """Entry point."""
    os.umask(0o077)
    app()
