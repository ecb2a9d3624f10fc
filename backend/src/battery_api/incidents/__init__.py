"""Incidents: what people do about the alerts of one trouble."""
