"""From a case to what the policy says of it: admitted, classified, decided, and who is told."""
