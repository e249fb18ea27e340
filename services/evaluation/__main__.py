"""Run the evaluation service as a process of its own: `python -m services.evaluation`."""

from services.evaluation.service import EVALUATION
from shared.runtime.main import run

if __name__ == "__main__":
    run(EVALUATION)
