"""Benchmarks: what a case costs, beside a yardstick that is measured in the same run."""
