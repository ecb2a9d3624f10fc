"""The accuracy report: the twin compared with coulomb counting and voltage look-up on two recordings.

Each recording is estimated with the parameters identified from the other, and with those of the data sheet.
"""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from battery_twin.arrays import FloatArray
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.kernel.layout import OCV_KNOTS
from battery_twin.replay import Replay, replay
from battery_twin.runs import RecordedRun

WRONG_START, BIAS_A = 0.8, 0.2
SETTLED_S = 3600.0
DEPTHS = (0.15, 0.30, 0.60)


@dataclass(frozen=True, slots=True)
class Case:
    """One recording replayed with a wrong initial state of charge and a biased current.

    ``start_row`` and ``end_row`` are the first and the last row of its discharge.
    """

    name: str
    run: RecordedRun
    true_soc: FloatArray
    true_soh: float
    estimates: Replay
    counted: FloatArray
    looked_up: FloatArray
    start_row: int
    end_row: int

    def errors_pct(self, row: int) -> list[float]:
        """Return the errors at a row in points: twin, its 90 % half-width, coulomb counting, look-up."""
        true = self.true_soc[row]
        estimates = (self.estimates.soc[row] - true, 1.645 * self.estimates.soc_sd[row])
        return [100 * float(v) for v in (*estimates, self.counted[row] - true, self.looked_up[row] - true)]


def make_case(name: str, run: RecordedRun, parameters: ParameterSet) -> Case:
    """Replay a recording of a full discharge; the reference is counted with its own sensor."""
    end_row = int(np.argmin(run.charge_ah))
    delivered_ah = float(-run.charge_ah[end_row])
    measured = RecordedRun(run.time_s, run.current_a + BIAS_A, run.voltage_v, run.temperature_c)
    discharging = run.current_a < -0.02 * parameters.rated_ah
    return Case(
        name=name,
        run=run,
        true_soc=1 + run.charge_ah / delivered_ah,
        true_soh=delivered_ah / parameters.rated_ah,
        estimates=replay(measured, parameters, WRONG_START),
        counted=np.clip(WRONG_START + measured.charge_ah / parameters.rated_ah, 0, 1),
        looked_up=np.interp(run.voltage_v, data_sheet_parameters(parameters.rated_ah).ocv_v, OCV_KNOTS),
        start_row=int(np.argmax(discharging)),
        end_row=end_row,
    )


def write_report(recordings: dict[str, RecordedRun], rated_ah: float, folder: Path) -> str:
    """Write the figures to a folder and return the tables as Markdown."""
    fitted = {name: fitted_parameters(identify((run,), rated_ah), rated_ah) for name, run in recordings.items()}
    cases = []
    for name, run in recordings.items():
        other = next(key for key in recordings if key != name)
        cases.append(make_case(f"{name}, parameters of {other}", run, fitted[other]))
        cases.append(make_case(f"{name}, data-sheet parameters", run, data_sheet_parameters(rated_ah)))
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    _charge_figure(cases).savefig(folder / "real-recordings-soc.png", dpi=110)
    _voltage_figure(cases).savefig(folder / "real-recordings-voltage.png", dpi=110)
    return "\n".join([*_soc_table(cases), "", *_capacity_table(cases)]) + "\n"


def _soc_table(cases: list[Case]) -> list[str]:
    lines = [
        (
            "| recording | SOC error after 30 min of discharge: twin (90 % half-width) | counting | look-up | "
            "SOC RMSE: twin | counting | look-up | inside 90 % | voltage RMSE |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        half_hour = int(np.searchsorted(case.run.time_s, case.run.time_s[case.start_row] + 1800))
        twin, width, counted, looked_up = case.errors_pct(half_hour)
        rows = slice(int(np.searchsorted(case.run.time_s, SETTLED_S)), case.end_row)
        rmse = [
            100 * float(np.sqrt(np.mean((soc[rows] - case.true_soc[rows]) ** 2)))
            for soc in (case.estimates.soc, case.counted, case.looked_up)
        ]
        inside = np.mean(np.abs(case.estimates.soc - case.true_soc)[rows] < 1.645 * case.estimates.soc_sd[rows])
        volts = 1000 * float(np.sqrt(np.mean(case.estimates.innovation_v[rows] ** 2)))
        lines.append(
            f"| {case.name} | {twin:+.1f} (± {width:.1f}) | {counted:+.1f} | {looked_up:+.1f} | "
            f"{rmse[0]:.1f} | {rmse[1]:.1f} | {rmse[2]:.1f} | {inside:.0%} | {volts:.1f} mV |"
        )
    return lines


def _capacity_table(cases: list[Case]) -> list[str]:
    lines = [
        "| recording | true capacity / rated | at 15 % depth | 30 % | 60 % | whole discharge |",
        "|---|---|---|---|---|---|",
    ]
    for case in cases:
        rows = [int(np.argmax(case.true_soc <= 1 - depth)) for depth in DEPTHS] + [case.end_row]
        cells = [f"{100 * case.estimates.soh[row]:.0f} ± {164.5 * case.estimates.soh_sd[row]:.0f} %" for row in rows]
        lines.append(f"| {case.name} | {case.true_soh:.0%} | {' | '.join(cells)} |")
    return lines


def _charge_figure(cases: list[Case]) -> Figure:
    figure = Figure(figsize=(11, 7), layout="constrained")
    for axes, case in zip(figure.subplots(2, 2).ravel(), cases, strict=True):
        rows = slice(0, case.end_row)
        hours = case.run.time_s[rows] / 3600
        soc, half = 100 * case.estimates.soc[rows], 164.5 * case.estimates.soc_sd[rows]
        axes.fill_between(hours, soc - half, soc + half, color="#2a6fb0", alpha=0.2, label="twin, 90 %")
        axes.plot(hours, soc, color="#2a6fb0", label="twin")
        axes.plot(hours, 100 * case.counted[rows], color="#c0392b", ls="--", label="counting from 80 %, bias 0.2 A")
        axes.plot(hours, 100 * case.looked_up[rows], color="#8e8e8e", ls=":", label="voltage look-up")
        axes.plot(hours, 100 * case.true_soc[rows], color="black", lw=1, label="reference")
        axes.set(title=case.name, xlabel="hours", ylabel="state of charge (%)", ylim=(-10, 115))
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8, loc="lower left")
    return figure


def _voltage_figure(cases: list[Case]) -> Figure:
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", height_ratios=[2, 1])
    for column, case in enumerate(cases[::2]):
        hours = case.run.time_s / 3600
        upper, lower = panels[0][column], panels[1][column]
        upper.plot(hours, case.run.voltage_v, color="black", lw=1, label="measured")
        upper.plot(
            hours[1:], case.estimates.voltage_pred[1:], color="#2a6fb0", lw=1, ls="--", label="predicted a row ahead"
        )
        upper.set(title=case.name, ylabel="block voltage (V)")
        lower.plot(hours[1:], 1000 * case.estimates.innovation_v[1:], color="#2a6fb0", lw=0.7)
        lower.set(xlabel="hours", ylabel="innovation (mV)", ylim=(-150, 150))
        for axes in (upper, lower):
            axes.grid(alpha=0.3)
    panels[0][0].legend(fontsize=8)
    return figure
