"""Fail where a source file is longer than 300 lines: it does more than one thing, so split it."""

import sys
from pathlib import Path

LIMIT = 300
FOLDERS = ("services", "shared", "bench", "scripts", "deploy")


def main() -> int:
    """Print each file over the limit; the exit code is 1 if there is one."""
    root = Path(__file__).parent.parent
    too_long = 0
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LIMIT:
            too_long += 1
            print(
                f"{path.relative_to(root)}: {lines} lines; split it into files of {LIMIT} or fewer"
            )
    return min(too_long, 1)


if __name__ == "__main__":
    sys.exit(main())
