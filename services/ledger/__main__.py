"""Run the ledger as a process of its own: `python -m services.ledger`."""

from services.ledger.service import LEDGER
from shared.runtime.main import run

if __name__ == "__main__":
    run(LEDGER)
