"""The report of an evaluation, as JSON and as a table."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from battery_ml.datasets.snapshots import Snapshots
from battery_ml.evaluation.report import EvaluationReport, Group
from battery_ml.evaluation.score import Evaluation, Score, as_degenerate_interval
from battery_ml.evaluation.table import table_of

COUNT = 60


def evaluation(offset_days: float) -> Evaluation:
    days = np.linspace(50.0, 2000.0, COUNT)
    slots = np.arange(COUNT)
    truth = Snapshots(
        features=np.zeros((COUNT, 1), np.float32),
        battery_slot=slots,
        generation=np.zeros(COUNT, np.int64),
        day=np.zeros(COUNT, np.int64),
        days_to_end=days,
        is_censored=np.zeros(COUNT, np.bool_),
        follow_up_days=np.full(COUNT, 1e5),
    )
    return Evaluation.of(as_degenerate_interval(days + offset_days), truth, slots // 6)


@pytest.fixture
def report() -> EvaluationReport:
    model = evaluation(10.0)
    baselines = {"fleet_median": evaluation(40.0), "age_arrhenius": evaluation(-20.0)}
    return EvaluationReport(
        version="v1",
        trained_on=("DC-AAA-01",),
        years=12.0,
        is_seen_to_end=True,
        overall=Group(model.score(), {name: baseline.score() for name, baseline in baselines.items()}),
        older=None,
        horizons=model.by_horizon(),
        predicted={},
        locations={"DC-AAA-01": model.score(), "DC-BBB-01": model.score()},
        generations={"0": model.score()},
        baseline_horizons={name: baseline.by_horizon() for name, baseline in baselines.items()},
        survival=None,
    )


def test_the_report_compares_with_the_best_baseline(report: EvaluationReport) -> None:
    content = json.loads(json.dumps(report.as_dict()))
    assert content["best_baseline"] == "age_arrhenius"
    assert content["mae_below_best_baseline_pct"] == pytest.approx(50.0)
    assert content["model"]["bias_days"] == pytest.approx(10.0)
    assert content["baselines"]["age_arrhenius"]["bias_days"] == pytest.approx(-20.0)
    assert {name: part["trained_on"] for name, part in content["sites"].items()} == {
        "DC-AAA-01": True,
        "DC-BBB-01": False,
    }
    assert set(content["model"]) == set(Score.__dataclass_fields__)
    assert set(content["horizons"]) == set(content["baselines"]["fleet_median"]["horizons"])


def test_a_model_worse_than_its_baselines_has_a_negative_gain(report: EvaluationReport) -> None:
    worse = replace(report, overall=replace(report.overall, model=evaluation(25.0).score()))
    assert worse.as_dict()["mae_below_best_baseline_pct"] == pytest.approx(-25.0)


def test_the_table_has_a_row_per_score(report: EvaluationReport) -> None:
    console = Console(width=160, record=True)
    console.print(table_of(report))
    text = console.export_text()
    rows = 1 + len(report.horizons) + len(report.generations) + len(report.locations) + len(report.overall.baselines)
    assert table_of(report).row_count == rows
    assert "DC-BBB-01, not in training" in text
    assert "DC-AAA-01, not" not in text
    assert "+10" in text
    assert "0.0 %" in text
