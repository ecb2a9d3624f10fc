"""The extended Kalman filter applied to many blocks at once: their states, their circuits and its output."""
