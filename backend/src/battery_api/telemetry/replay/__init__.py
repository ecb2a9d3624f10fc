"""Stored readings read again, as ingest would hand them on: for the rules and for the digital twin."""
