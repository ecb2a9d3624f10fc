"""``battery-twin``: calibrate, replay and validate recorded runs, and write the accuracy report."""

import csv
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from battery_contracts.twin_analysis import Identified
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet, ParametersInvalid
from battery_twin.consistency import validate as validate_run
from battery_twin.identification.channels import check_channels
from battery_twin.identification.findings import fit_error, identified_parameters, notes
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.replay import replay as replay_run
from battery_twin.report import write_report
from battery_twin.runs import RunInvalid, read_run

app = typer.Typer(help="Digital twin of VRLA blocks.", no_args_is_help=True, add_completion=False)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)
REFUSED = 2

RunFile = Annotated[Path, typer.Argument(help="CSV with time_s,current_a,voltage_v,temperature_c; current > 0 charges")]
ParameterFile = Annotated[
    Path | None, typer.Option("--parameters", help="parameter set; if omitted, --rated-ah is required")
]
RatedAh = Annotated[float | None, typer.Option("--rated-ah", min=1, max=10_000, help="rated capacity of the block")]
InitialSoc = Annotated[float, typer.Option("--initial-soc", min=0, max=1, help="assumed at the first row, 0 to 1")]


@app.command()
def calibrate(
    runs: Annotated[list[Path], typer.Argument(help="runs of one block: a slow discharge, and pulses")],
    rated_ah: Annotated[float, typer.Option("--rated-ah", min=1, max=10_000, help="rated capacity of the block")],
    out: Annotated[Path, typer.Option("--out", help="parameter set to write")],
) -> None:
    """Identify a parameter set from recorded runs."""
    try:
        fit = identify(tuple(read_run(path) for path in runs), rated_ah)
        parameters = fitted_parameters(fit, rated_ah)
    except RunInvalid as refused:
        raise _refuse(str(refused)) from refused
    _write(out, parameters.to_json())
    error = fit_error(fit)
    console.print(
        f"{out}: {error.fitted_rows} rows fitted, RMSE {error.voltage_rmse_mv:.1f} mV, worst {error.worst_mv:.0f} mV"
    )
    for parameter in identified_parameters(fit):
        console.print(_line(parameter), highlight=False, markup=False)
    for note in notes(fit):
        console.print(f"note: {note}")


@app.command()
def replay(
    run: RunFile,
    out: Annotated[Path, typer.Option("--out", help="CSV of estimates to write")],
    parameters: ParameterFile = None,
    rated_ah: RatedAh = None,
    initial_soc: InitialSoc = 0.9,
) -> None:
    """Estimate SOC and SOH at every row of a run from that row and those before it."""
    try:
        recorded, circuit = read_run(run), _parameters(parameters, rated_ah)
        check_channels((recorded,), circuit.rated_ah)
        estimates = replay_run(recorded, circuit, initial_soc)
    except (RunInvalid, ParametersInvalid) as refused:
        raise _refuse(str(refused)) from refused
    columns = ("time_s", "soc", "soc_sd", "soh", "soh_sd", "voltage_pred")
    try:
        with out.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for row in zip(*(getattr(estimates, name) for name in columns), strict=True):
                writer.writerow([f"{row[0]:.10g}", *(f"{value:.6f}" for value in row[1:])])
    except OSError as failure:
        raise _refuse(str(failure)) from failure
    soc, soc_sd = estimates.soc[-1], estimates.soc_sd[-1]
    console.print(f"{out}: {len(estimates.soc)} rows, SOC {soc:.1%} ± {soc_sd:.1%} at the end")


@app.command()
def validate(
    run: RunFile, parameters: ParameterFile = None, rated_ah: RatedAh = None, initial_soc: InitialSoc = 0.9
) -> None:
    """Report whether the predictions and their stated uncertainty agree with a run; exit status 1 if they do not."""
    try:
        result = validate_run(read_run(run), _parameters(parameters, rated_ah), initial_soc)
    except (RunInvalid, ParametersInvalid) as refused:
        raise _refuse(str(refused)) from refused
    console.print_json(result.model_dump_json())
    if not result.consistent:
        raise typer.Exit(1)


@app.command()
def report(
    recordings: Annotated[list[Path], typer.Argument(help="two runs of one block, each a full discharge")],
    rated_ah: Annotated[float, typer.Option("--rated-ah", min=1, max=10_000, help="rated capacity of the block")],
    out: Annotated[Path, typer.Option("--out", help="folder for accuracy.md and the figures")],
) -> None:
    """Estimate each recording with the parameters of the other, and write tables and figures."""
    if len(recordings) != 2:
        raise _refuse(f"exactly two recordings are required, {len(recordings)} were given")
    try:
        runs = {path.name.split(".")[0]: read_run(path) for path in recordings}
        table = write_report(runs, rated_ah, out)
    except RunInvalid as refused:
        raise _refuse(str(refused)) from refused
    _write(out / "accuracy.md", table)
    console.print(table, markup=False, highlight=False)


def _parameters(path: Path | None, rated_ah: float | None) -> ParameterSet:
    if path is None:
        if rated_ah is None:
            raise ParametersInvalid("--parameters or --rated-ah is required")
        return data_sheet_parameters(rated_ah)
    try:
        return ParameterSet.from_json(path.read_text())
    except (OSError, UnicodeDecodeError) as failure:
        raise ParametersInvalid(str(failure)) from failure


def _line(parameter: Identified) -> str:
    return f"  {parameter.name:<18} {parameter.value:>11.5g} ± {parameter.sd:<10.2g} {parameter.reason}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as failure:
        raise _refuse(str(failure)) from failure


def _refuse(reason: str) -> typer.Exit:
    errors.print(f"refused: {reason}", style="red", markup=False)
    return typer.Exit(REFUSED)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
