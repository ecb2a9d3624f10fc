"""The digital twin's record: discharges and their evidence, daily estimates, and what a string would last."""
