"""The estimator: one compiled filter step, swept over a fleet or along a run."""
