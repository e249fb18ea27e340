"""Run the deadline service as a process of its own: `python -m services.deadline`."""

from services.deadline.service import DEADLINE
from shared.runtime.main import run

if __name__ == "__main__":
    run(DEADLINE)
