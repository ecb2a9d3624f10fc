"""Service glue without a domain word: settings, logs, problems, health, metrics, clock."""
