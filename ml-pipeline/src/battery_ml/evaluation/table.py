"""An evaluation as a table for people."""

from rich.table import Table

from battery_ml.evaluation.evaluate import Evaluation
from battery_ml.evaluation.score import Score


def table_of(found: Evaluation) -> Table:
    """Return the model, its horizons and sites, and the baselines, a line each."""
    table = Table("", "MAE days", "95 %", "bias days", "P10-P90 holds", "95 %", "batteries", title=found.version)
    table.add_row("model", *_cells(found.model))
    for name, score in found.horizons.items():
        table.add_row(f"  {name} days left", *_cells(score))
    for name, score in found.sites.items():
        known = "" if name in found.trained_on else ", never learnt from"
        table.add_row(f"  {name}{known}", *_cells(score))
    for name, score in found.baselines.items():
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
