"""What a deployed platform must do, asked from outside: ``make deployed URL=https://...``."""
