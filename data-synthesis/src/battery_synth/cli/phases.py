"""Commands of the phases after the raw series."""

from pathlib import Path
from typing import Annotated

import typer

from battery_synth.cli.terminal import app, out_console, refusals
from battery_synth.phases.folder import run_phase
from battery_synth.phases.registry import PHASES

Data = Annotated[Path, typer.Option(help="Folder of a dataset.", exists=True, file_okay=False)]


def _add(name: str) -> None:
    phase = PHASES[name]

    @app.command(name, help=f"Make from a dataset, again at will: {phase.summary}.")
    def command(data: Data) -> None:
        with refusals(data):
            made = run_phase(phase, data)
        rows = ", ".join(f"{count:,} {table}" for table, count in made.items() if not table.startswith("truth"))
        out_console.print(f"{rows} in {data}.", highlight=False)


for _name in PHASES:
    _add(_name)
