"""The command that judges generated data."""

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
    """Check generated data against the ranges of the field and draw it; exit code 1 if a check fails."""
    # They bring a plotting library, which no other command needs.
    from battery_synth.realism.report import write_report  # noqa: PLC0415
    from battery_synth.realism.tables import Dataset  # noqa: PLC0415

    with refusals(out):
        checks = write_report(
            out,
            data=None if data is None else Dataset.at(data),
            training=None if training is None else Dataset.at(training),
            seed=seed,
        )
    for check in checks:
        if not check.passed:
            out_console.print(f"fails: {check.name} is {check.found}, must be {check.limit}", highlight=False)
    out_console.print(
        f"{sum(check.passed for check in checks)} of {len(checks)} checks hold; see {out}.", highlight=False
    )
    if not all(check.passed for check in checks):
        raise typer.Exit(1)
