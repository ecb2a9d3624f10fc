"""From days of batteries to remaining life with its interval and its reasons."""
