"""Calibration of the quantiles on lives that the model was not fitted to, censored ones included."""

import numpy as np

from battery_ml.datasets.snapshots import Snapshots
from battery_ml.registry.manifest import Levels
from battery_ml.survival.censoring import failure_quantile
from battery_ml.survival.curves import SurvivalCurves

NOMINAL = Levels(p10=0.1, p50=0.5, p90=0.9)
_BOUNDS = (0.001, 0.999)


def calibrated_levels(curves: SurvivalCurves, truth: Snapshots) -> Levels:
    """Return the levels of the model's curves that a tenth, half and nine tenths of the lives fall short of.

    Where a life ends on its own predicted curve is its probability integral transform; it is uniform if the model is
    right. That of a censored life is censored as well, so the product-limit estimate of its distribution says which
    level is the true tenth (Kuleshov, Fenner and Ermon, ICML 2018, with Kaplan and Meier for the censored). The ends
    are taken one life further out, as split-conformal prediction does (Romano, Patterson and Candès, NeurIPS 2019):
    snapshots of one life are not independent, so lives are counted.

    Parameters
    ----------
    curves
        Of n snapshots.
    truth
        The same n snapshots.
    """
    reached = curves.failure_probability(truth.days_to_end)
    # A life that outlasted its curve is known to have reached the curve's end alive.
    is_open = truth.is_censored | (truth.days_to_end > curves.follow_up_days)
    lives = len(np.unique(np.column_stack([truth.battery_slot, truth.generation])[~truth.is_censored], axis=0))
    margin = 1.0 + 1.0 / max(lives, 1)

    def level_of(share: float) -> float:
        return float(np.clip(failure_quantile(reached, is_open, share), *_BOUNDS))

    low, middle, high = level_of(max(1.0 - 0.9 * margin, 0.0)), level_of(0.5), level_of(min(0.9 * margin, 1.0))
    return Levels(p10=min(low, middle), p50=middle, p90=max(middle, high))
