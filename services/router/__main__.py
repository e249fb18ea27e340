"""Run the router as a process of its own: `python -m services.router`."""

from services.router.service import ROUTER
from shared.runtime.main import run

if __name__ == "__main__":
    run(ROUTER)
