"""The `concentric` command, one small file per group of commands."""
