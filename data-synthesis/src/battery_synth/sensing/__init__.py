"""The errors, noise and faults with which the monitoring equipment reports the true values."""
