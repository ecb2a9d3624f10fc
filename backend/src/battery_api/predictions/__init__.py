"""Predictions of remaining life: the ageing law of the twin and the model of the prediction service, as one."""
