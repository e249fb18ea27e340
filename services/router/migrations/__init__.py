"""Changes of the router's tables, in order."""
