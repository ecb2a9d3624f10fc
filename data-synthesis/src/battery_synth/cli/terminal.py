"""What all commands share: consoles, progress for people and for programs, errors in one line."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

app = typer.Typer(help="The synthetic world of the fleet.", no_args_is_help=True, add_completion=False)
out_console = Console(soft_wrap=True)
err_console = Console(stderr=True, soft_wrap=True)

Report = Callable[[int, int], None]
Seed = Annotated[int, typer.Option(help="Seed of the world; the same seed gives the same data.")]
ProgressJson = Annotated[bool, typer.Option("--progress-json", help="Print progress as JSON lines.")]
LONGEST_DAYS = 3660.0


@contextmanager
def progress(phase: str, unit: str, *, as_json: bool) -> Iterator[Report]:
    """Yield a progress callback: JSON lines, a bar on a terminal, else a plain line per tenth."""
    columns = (TextColumn(f"[bold]{phase}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    is_terminal = err_console.is_terminal
    tenth = -1
    with Progress(*columns, console=err_console, disable=as_json or not is_terminal) as bar:
        task = bar.add_task(phase, total=None)

        def report(done: int, total: int) -> None:
            nonlocal tenth
            bar.update(task, completed=done, total=total)
            now = done * 100 // max(total, 1) // (2 if as_json else 10)
            if now == tenth:
                return
            tenth = now
            if as_json:
                typer.echo(json.dumps({"phase": "generate", "done": done, "total": total}))
            elif not is_terminal:
                err_console.print(f"{phase}: {done} of {total} {unit}", highlight=False)

        yield report


@contextmanager
def refusals(out: Path) -> Iterator[None]:
    """Turn errors that the caller can fix into one line and exit code 2."""
    try:
        yield
    except OSError as error:
        raise refusal(f"cannot write {error.filename or out}: {error.strerror or error}") from error
    except ValueError as error:
        raise refusal(str(error)) from error


def refusal(reason: str) -> typer.Exit:
    """Print why a command does nothing; raise what this returns."""
    err_console.print(f"{reason}.", style="red", markup=False, highlight=False)
    return typer.Exit(2)
