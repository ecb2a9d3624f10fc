"""What the user sees: one line per step, progress of long steps, changes of state."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_PLAIN_STEP_PERCENT = 10


class ProgressLine:
    """Progress of a long step: a bar on a terminal, a line per 10 % elsewhere."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._reported = 0
        columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = self._bar.add_task(title, total=None) if self._bar is not None else None
        if self._bar is not None:
            self._bar.start()

    def update(self, done: int, total: int) -> None:
        """Show the progress of the step."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
            return
        percent = 100 * done // max(total, 1)
        if percent >= self._reported + _PLAIN_STEP_PERCENT:
            self._reported = percent - percent % _PLAIN_STEP_PERCENT
            self._console.print(f"  {self._title}: {self._reported} %", highlight=False)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


class Screen:
    """Everything the launcher prints."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step while it runs and, when it succeeds, how long it took."""
        began = time.monotonic()
        with self._console.status(escape(title)):
            yield
        self.done(title, time.monotonic() - began)

    def done(self, title: str, took_s: float) -> None:
        """Report a completed step."""
        self._console.print(f"[green]✓[/green] {escape(title)} [dim]{took_s:.1f} s[/dim]", highlight=False)

    def note(self, message: str) -> None:
        """Print something that the user may want to know."""
        self._console.print(f"[yellow]![/yellow] {escape(message)}", highlight=False)

    def change(self, message: str, *, is_bad: bool) -> None:
        """Report a change of state with the time of day."""
        now = datetime.now().astimezone()
        colour = "red" if is_bad else "green"
        self._console.print(f"[dim]{now:%H:%M:%S}[/dim] [{colour}]{escape(message)}[/{colour}]", highlight=False)

    def fail(self, message: str) -> None:
        """Print why something failed."""
        self._console.print(f"[bold red]✗[/bold red] {escape(message)}", highlight=False)

    def progress(self, title: str) -> ProgressLine:
        """Open the progress of a long step."""
        return ProgressLine(self._console, title)

    def welcome(self, url: str, login: str, hint: str) -> None:
        """Show where the platform is and how to log in."""
        lines = [
            "",
            f"[bold]Battery platform  [cyan]{escape(url)}[/cyan][/bold]",
            escape(login),
            f"[dim]{escape(hint)}[/dim]",
            "",
        ]
        # Never wrapped or truncated: people copy addresses and passwords from here.
        self._console.print("\n".join(lines), highlight=False, soft_wrap=True)
