"""Digital twin: equivalent circuit, extended Kalman filter, physics of remaining life."""
