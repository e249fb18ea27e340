"""Run a command with both servers: python -m tests.support.servers -- COMMAND ARGUMENTS...

The command finds them in AMQP_URL, AMQP_MANAGEMENT_URL and DATABASE_URL; servers that these name
already are used as they are. Its exit code is passed on, and signals are passed to it.
"""

import os
import signal
import subprocess
import sys
from types import FrameType

from tests.support.servers import ServerError, postgres, rabbitmq
from tests.support.servers.private import guard, release


def main(arguments: list[str]) -> int:
    """Start what is missing, run the command, stop what was started; return the exit code."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child is None:
            raise SystemExit(128 + number)
        child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        with rabbitmq() as broker, postgres() as database:
            environment = os.environ | {"AMQP_URL": broker.url, "DATABASE_URL": database.url}
            if broker.management_url is not None:
                environment["AMQP_MANAGEMENT_URL"] = broker.management_url
            # A session of its own: a Ctrl-C reaches it once, through us, and not twice.
            child = subprocess.Popen(command, env=environment, start_new_session=True)
            guarding = guard(child.pid)
            code = child.wait()
            release(guarding)
    except (ServerError, OSError) as problem:
        print(f"servers: {problem}", file=sys.stderr)
        return 1
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
