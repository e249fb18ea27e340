"""Intake records cases: it validates them, identifies them, and finds repeats."""
