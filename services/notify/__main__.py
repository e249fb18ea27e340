"""Run the notify service as a process of its own: `python -m services.notify`."""

from services.notify.service import NOTIFY
from shared.runtime.main import run

if __name__ == "__main__":
    run(NOTIFY)
