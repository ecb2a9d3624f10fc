"""The service lives of batteries: individual traits, the effect of wear, failures and replacement."""
