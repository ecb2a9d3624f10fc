"""The physics of one 12 V block and of its charger, as scalar functions that the kernels inline."""
