"""A policy tried before it is in force: in a process of its own, on scenarios and on past cases."""
