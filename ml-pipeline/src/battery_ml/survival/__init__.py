"""Right-censored lives: the statistics that training and evaluation share."""
