"""Worlds to learn from: folders of lives, what came of each, and snapshots with what was known then."""
