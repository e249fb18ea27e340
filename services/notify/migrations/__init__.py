"""Changes of the notify service's tables, in order."""
