"""Write the accuracy of the twin on the reference set: both halves, calibrated and by data sheet, as Markdown.

From the folder `digital-twin`: ``python -m tests.reference.report docs``.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from tests.reference.judge import INSIDE_90, Figures, Judged, Recording, figures, judge, with_sensor_errors
from tests.reference.recordings import load

HALVES: Final = ("development", "test")
FROM_FULL: Final = ("slow_discharge", "fast_discharge", "hour_discharge", "mixed_duty")
_CALIBRATED_FROM: Final = ("calibration_slow", "calibration_fast")
_SEEDS: Final = (0, 1, 2)
_COLOURS: Final = {
    "new": "#2a6fb0", "aged": "#8e8e8e", "corroded": "#c0392b", "sulfated": "#d68910", "dried_out": "#1e8449",
}  # fmt: skip
_HEADING: Final = (
    "| recordings | SOC RMSE | best naive | bias | inside 90 % | SOH error | bias | inside 90 % | stated deviation |",
    "|---|---|---|---|---|---|---|---|---|",
)


def calibrated_set(recordings: Sequence[Recording]) -> ParameterSet:
    """Identify the circuit of a half's new block from what its sensors recorded."""
    runs = [recording for recording in recordings if recording.profile in _CALIBRATED_FROM]
    rated_ah = runs[0].rated_ah
    measured = tuple(with_sensor_errors(run.run, rated_ah, 1000 + number) for number, run in enumerate(runs))
    return fitted_parameters(identify(measured, rated_ah), rated_ah)


def judge_half(recordings: Sequence[Recording], parameters: ParameterSet) -> list[Judged]:
    """Judge every recording of a half but those of its calibration, under several draws of sensor errors."""
    cases = [recording for recording in recordings if not recording.profile.startswith("calibration")]
    return [judge(case, parameters, 1000 * seed + number) for seed in _SEEDS for number, case in enumerate(cases)]


def from_full(judged: Sequence[Judged]) -> list[Judged]:
    """Return the cases of discharges that began full: those that show capacity."""
    return [case for case in judged if case.recording.profile in FROM_FULL]


def main(folder: Path) -> None:
    """Write `reference-set.md` and its figure to a folder, and print the former."""
    lines = ["# The twin on the reference set", "", *_explanation(), ""]
    panels = {}
    for half in HALVES:
        recordings = load(half)
        rated_ah = recordings[0].rated_ah
        for name, parameters in (
            ("calibrated on its new block", calibrated_set(recordings)),
            ("by data sheet", data_sheet_parameters(rated_ah)),
        ):
            judged = judge_half(recordings, parameters)
            panels[f"{half} half, {name}"] = judged
            lines += [f"## {half.capitalize()} half, {name}", "", *_HEADING, *_rows(judged), ""]
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    _capacity_figure(panels).savefig(folder / "reference-set-capacity.png", dpi=110)
    lines += ["![Capacity, estimated and true](reference-set-capacity.png)", ""]
    (folder / "reference-set.md").write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))


def _explanation() -> list[str]:
    return [
        "Blocks simulated as porous electrodes (`digital-twin/tests/reference`), a physics that the twin does not",
        "share. Their sensors are biased and noisy, and the start is stated as 80 %. All figures are points of",
        "percent; SOC from 15 minutes on, means over recordings and three draws of sensor errors. The best naive",
        "estimate of a profile is the better of counting from full, from the stated start, and looking the voltage up.",
        "SOH is judged at the end of discharges that began full, against the 10 h capacity at 25 °C. Nothing was tuned",
        "on the test half.",
    ]


def _rows(judged: Sequence[Judged]) -> Iterator[str]:
    yield _row("all", figures(judged), figures(from_full(judged)))
    for profile in dict.fromkeys(case.recording.profile for case in judged):
        chosen = [case for case in judged if case.recording.profile == profile]
        yield _row(
            profile.replace("_", " "), figures(chosen), figures(from_full(chosen)) if from_full(chosen) else None
        )
    for kind in dict.fromkeys(case.recording.kind for case in judged):
        chosen = [case for case in judged if case.recording.kind == kind]
        yield _row(f"{kind.replace('_', ' ')} blocks", figures(chosen), figures(from_full(chosen)))


def _row(name: str, soc: Figures, soh: Figures | None) -> str:
    cells = [f"{soc.soc_rmse:.1f}", f"{soc.naive_rmse:.1f}", f"{soc.soc_bias:+.1f}", f"{soc.soc_inside:.0%}"]
    if soh is not None:
        cells += [f"{soh.soh_mae:.1f}", f"{soh.soh_bias:+.1f}", f"{soh.soh_inside:.0%}", f"{soh.soh_sd:.1f}"]
    else:
        cells += ["", "", "", ""]
    return f"| {name} | {' | '.join(cells)} |"


def _capacity_figure(panels: dict[str, list[Judged]]) -> Figure:
    figure = Figure(figsize=(11, 9), layout="constrained")
    for axes, (title, judged) in zip(
        figure.subplots(2, 2, sharex=True, sharey=True).ravel(), panels.items(), strict=True
    ):
        axes.plot([50, 125], [50, 125], color="black", lw=1)
        for kind, colour in _COLOURS.items():
            cases = [case for case in from_full(judged) if case.recording.kind == kind]
            true = [100 * case.recording.soh for case in cases]
            estimated = [100 * (case.recording.soh + case.soh_error) for case in cases]
            half = [100 * INSIDE_90 * case.soh_sd for case in cases]
            axes.errorbar(true, estimated, yerr=half, fmt="o", ms=4, lw=0.8, color=colour, label=kind.replace("_", " "))
        axes.set(title=title, xlabel="true state of health (%)", ylabel="estimate, 90 % interval (%)")
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8, loc="upper left")
    return figure


if __name__ == "__main__":
    main(Path(sys.argv[1]))
