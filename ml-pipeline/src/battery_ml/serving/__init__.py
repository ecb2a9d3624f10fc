"""From daily histories of batteries to remaining life with its interval and its reasons."""
