"""Shared service infrastructure, free of domain logic: settings, logs, errors, health, metrics, clock."""
