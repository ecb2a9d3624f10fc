"""Judging stored readings again in order of time, after late or changed ones."""
