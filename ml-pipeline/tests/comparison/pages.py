"""The comparison as a page of Markdown."""

from collections.abc import Mapping

from battery_ml.evaluation.report import EvaluationReport
from battery_ml.evaluation.score import Score
from battery_ml.evaluation.survival_scores import SurvivalScores
from battery_ml.evaluation.truth import JudgedSnapshots


def page_of(reports: Mapping[str, EvaluationReport], twin: Mapping[str, float], judged: JudgedSnapshots) -> str:
    """Return the page: models beside baselines, then the first of the models in detail."""
    first = next(iter(reports.values()))
    lines = [
        "# Remaining life, judged on lives seen to their ends",
        "",
        f"Written by `make ml-report`. Judged on the first {judged.years:.1f} years of a world no model was trained",
        f"on and that was carried on until its batteries had failed: {first.overall.model.batteries:,} positions,",
        f"{first.overall.model.snapshots:,} snapshots. Errors in days; 95 % intervals over strings or batteries.",
        "",
        "| model | error | older than 2 years | bias | P10-P90 holds | within a year of failure | C |",
        "|---|---|---|---|---|---|---|",
        *(_model_row(name, report) for name, report in reports.items()),
        *(_baseline_row(name, first) for name in first.overall.baselines),
        _twin_row(twin),
        "",
        "![Error by remaining life](remaining-life-error.png)",
        "",
        *_detail(first),
    ]
    return "\n".join(lines) + "\n"


def _model_row(name: str, report: EvaluationReport) -> str:
    model, older, survival = report.overall.model, report.older, report.survival
    assert older is not None, "a judged world has old batteries"
    assert survival is not None, "lives are seen to their ends"
    near = [report.horizons[span] for span in ("0-180", "180-365")]
    within = sum(one.coverage_p10_p90 * one.snapshots for one in near) / sum(one.snapshots for one in near)
    return (
        f"| {name} | {model.mae_days:.0f} ({model.mae_days_low:.0f}-{model.mae_days_high:.0f}) | "
        f"{older.model.mae_days:.0f} | {model.bias_days:+.0f} | {model.coverage_p10_p90:.1%} | {within:.1%} | "
        f"{survival.concordance:.3f} |"
    )


def _baseline_row(name: str, report: EvaluationReport) -> str:
    assert report.older is not None, "a judged world has old batteries"
    score, older = report.overall.baselines[name], report.older.baselines[name]
    return (
        f"| *{name.replace('_', ' ')}* | {score.mae_days:.0f} | {older.mae_days:.0f} | {score.bias_days:+.0f} | | | |"
    )


def _twin_row(twin: Mapping[str, float]) -> str:
    return (
        f"| *the twin's ageing law alone* | {twin['mae_days']:.0f} | {twin['older_mae_days']:.0f} | "
        f"{twin['bias_days']:+.0f} | {twin['coverage']:.1%} | | |"
    )


def _detail(report: EvaluationReport) -> list[str]:
    survival = report.survival
    assert survival is not None, "lives are seen to their ends"
    groups = {
        "days left": report.horizons,
        "predicted days": report.predicted,
        "location": report.locations,
        "generation": report.generations,
    }
    lines = ["## The hazard in detail", "", "| | error | bias | P10-P90 holds | 95 % |", "|---|---|---|---|---|"]
    for title, scores in groups.items():
        lines += [_group_row(f"{title} {name}", score) for name, score in scores.items()]
    lines += ["", "| within | AUC | Brier | of the base rate | calibration error | forecast | failed |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [
        f"| {days} days | {one.auc.value:.3f} ({one.auc.low:.3f}-{one.auc.high:.3f}) | {one.brier.value:.4f} | "
        f"{one.brier_of_base_rate:.4f} | {one.expected_calibration_error.value:.4f} "
        f"({one.expected_calibration_error.low:.4f}-{one.expected_calibration_error.high:.4f}) | "
        f"{one.forecast_share:.2%} | {one.failed_share:.2%} |"
        for days, one in survival.horizons.items()
    ]
    return [
        *lines,
        "",
        *_lists(survival),
        "",
        "![Calibration within a year](remaining-life-calibration.png)",
        "",
        "![Probability integral transform](remaining-life-pit.png)",
        "",
        "![P10-P90 by group](remaining-life-coverage.png)",
    ]


def _lists(survival: SurvivalScores) -> list[str]:
    safe, soon = survival.safe_list, survival.soon_list
    return [
        f"- *Due in 90 days* (P10 below 90): {soon.listed_share:.1%} are listed.",
        f"  {soon.precision.value:.1%} of them fail in time, and {soon.recall.value:.1%} of those that fail are in it.",
        f"- *Safe for 12 months* (at most 5 % likely to fail): {safe.listed_share:.1%} are listed.",
        f"  Promised failures {safe.promised_share:.2%},",
        f"  realised {safe.failed_share.value:.2%} ({safe.failed_share.low:.2%}-{safe.failed_share.high:.2%}).",
    ]


def _group_row(name: str, score: Score) -> str:
    return (
        f"| {name} | {score.mae_days:.0f} | {score.bias_days:+.0f} | {score.coverage_p10_p90:.1%} | "
        f"{score.coverage_low:.1%}-{score.coverage_high:.1%} |"
    )
