"""Control interface of the simulator."""
