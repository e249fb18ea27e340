"""Changes of the evaluation service's tables, in order."""
