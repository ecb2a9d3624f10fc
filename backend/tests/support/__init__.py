"""What the tests of several features share."""
