"""What must be true of a policy beyond its shape, checked section by section after reading."""
