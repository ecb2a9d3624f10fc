"""Silences and maintenance windows: what people keep out of the inbox for a time, and what that hid."""
