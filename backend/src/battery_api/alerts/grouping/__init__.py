"""Alerts of one trouble are one incident: which alerts belong together, and the rows that say so."""
