"""The fleet file: its text, its cells and what can be known of a line without the database."""
