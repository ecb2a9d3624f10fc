"""An evaluation report as a table for the terminal."""

from rich.table import Table

from battery_ml.evaluation.report import EvaluationReport
from battery_ml.evaluation.score import Score


def table_of(report: EvaluationReport) -> Table:
    """Return the model, its horizons and locations, and the baselines, one per row."""
    table = Table("", "MAE days", "95 %", "bias days", "P10-P90 coverage", "95 %", "batteries", title=report.version)
    table.add_row("model", *_cells(report.overall.model))
    if report.older is not None:
        table.add_row("  older than two years", *_cells(report.older.model))
    for name, score in report.horizons.items():
        table.add_row(f"  {name} days left", *_cells(score))
    for name, score in report.generations.items():
        table.add_row(f"  generation {name}", *_cells(score))
    for name, score in report.locations.items():
        note = "" if name in report.trained_on else ", not in training"
        table.add_row(f"  {name}{note}", *_cells(score))
    for name, score in report.overall.baselines.items():
        table.add_row(f"baseline {name}", *_cells(score)[:3], "-", "-", str(score.batteries))
    return table


def _cells(score: Score) -> tuple[str, ...]:
    return (
        f"{score.mae_days:.0f}",
        f"{score.mae_days_low:.0f}-{score.mae_days_high:.0f}",
        f"{score.bias_days:+.0f}",
        f"{100 * score.coverage_p10_p90:.1f} %",
        f"{100 * score.coverage_low:.1f}-{100 * score.coverage_high:.1f} %",
        str(score.batteries),
    )
