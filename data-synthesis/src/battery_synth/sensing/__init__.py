"""What the monitoring equipment makes of the true values."""
