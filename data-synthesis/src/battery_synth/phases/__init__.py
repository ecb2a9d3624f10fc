"""The phases after the raw series: what an operator's systems derive from it, each repeatable on its own."""
