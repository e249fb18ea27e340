"""Run intake as a process of its own: `python -m services.intake`."""

from services.intake.service import INTAKE
from shared.runtime.main import run

if __name__ == "__main__":
    run(INTAKE)
