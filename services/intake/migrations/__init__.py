"""Changes of intake's tables, in order."""
