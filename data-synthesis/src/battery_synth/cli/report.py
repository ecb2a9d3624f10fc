"""The command that checks the realism of generated data."""

from pathlib import Path
from typing import Annotated

import typer

from battery_synth.catalogue import DEFAULT_SEED
from battery_synth.cli.terminal import Seed, app, out_console, refusals


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    *,
    data: Annotated[Path | None, typer.Option(help="Folder of a reference or fleet set.")] = None,
    training: Annotated[Path | None, typer.Option(help="Folder of a training set.")] = None,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Check generated data against published ranges and plot it; exit code 1 if a check fails."""
    # These modules import a plotting library, which no other command needs.
    from battery_synth.realism.report import write_report  # noqa: PLC0415  # imports matplotlib
    from battery_synth.realism.tables import DatasetTables  # noqa: PLC0415  # beside it

    with refusals(out):
        checks = write_report(
            out,
            data=None if data is None else DatasetTables.open(data),
            training=None if training is None else DatasetTables.open(training),
            seed=seed,
        )
    for check in checks:
        if not check.passed:
            out_console.print(f"fails: {check.name} is {check.measured}, limit {check.limit}", highlight=False)
    out_console.print(
        f"{sum(check.passed for check in checks)} of {len(checks)} checks hold; see {out}.", highlight=False
    )
    if not all(check.passed for check in checks):
        raise typer.Exit(1)
