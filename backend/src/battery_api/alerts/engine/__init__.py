"""The rule engine: pure functions from readings and stored state to judgements; numpy and the standard library only."""
