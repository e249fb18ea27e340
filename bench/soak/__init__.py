"""Whole cases under random kills and restarts, for as long as one likes: `make soak MINUTES=10`."""
