"""Changes of the deadline service's tables, in order."""
