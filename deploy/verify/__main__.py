"""Proves the compose installation: brings it up, sends cases through it, and takes it down."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from time import monotonic, sleep

from deploy.verify import figures, loop
from deploy.verify.asking import Failed, expect, wait_for
from deploy.verify.images import fetch
from deploy.verify.stack import Stack

HEALTHY = 300.0
"""Seconds that all containers have to become healthy."""

EPILOG = """
It uses a project name, ports, passwords and volumes of its own, so that an installation that runs
on this machine is not touched, and removes all of it at the end, however it ends. The image
concentric:verify stays. The exit code is 0 if everything held, 1 with what did not otherwise.

Where images cannot be pulled, stand-ins can be made: by a command that is given NAME:TAG=KIND for
each of them, KIND being python, rabbitmq, postgres or prometheus. Nothing stands in for Grafana:
without its image, its panels are asked of Prometheus.

  deploy/verify-compose
  deploy/verify-compose --images-by ../tools/make-images --build-network host
"""


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        prog="deploy/verify-compose",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--images-by",
        metavar="COMMAND",
        default=os.environ.get("STAND_IN_IMAGES"),
        help="makes stand-ins for images that cannot be pulled (default: $STAND_IN_IMAGES)",
    )
    parser.add_argument(
        "--build-network",
        metavar="NETWORK",
        default=os.environ.get("BUILD_NETWORK", "default"),
        help="network of the build: `host` where registries are reached over this machine's alone",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave it running at the end, to look around in it"
    )
    return parser.parse_args()


class Progress:
    """Says what goes on, and since when."""

    def __init__(self) -> None:
        self._began = monotonic()

    def say(self, text: str) -> None:
        """One line with the seconds gone by."""
        print(f"[{monotonic() - self._began:4.0f} s] {text}", flush=True)


def prove(stack: Stack, progress: Progress, stand_ins: str | None) -> None:
    """Every step; raises `Failed` at the first that does not hold."""
    say = progress.say
    say("images")
    missing = fetch(stand_ins)
    without = ["grafana"] if any("grafana" in image for image in missing) else []
    lacking = [image for image in missing if "grafana" not in image]
    expect(not lacking, f"cannot be pulled: {', '.join(lacking)}; see --help about --images-by")
    say("building concentric:verify")
    stack.build()
    say(f"starting project {stack.project}" + (", without Grafana" if without else ""))
    stack.start(without)
    until_healthy(stack, progress)

    loop.listen(stack.rabbitmq())
    case_id = loop.submit(stack)
    loop.publish(stack)
    say(f"recorded: case {case_id}")
    handling = loop.handle(stack, case_id)
    say(f"routed ({handling['colour']}, {handling['unit']}), accepted, answered")
    loop.rate(stack, case_id, loop.link(stack, case_id))
    history = loop.closed(stack, case_id)
    say(f"rated by the link of evaluation.requested, closed: {' → '.join(history)}")

    figures.check(stack)
    say(f"Prometheus has the {len(figures.EXPECTED)} figures that follow from that")
    by, queries = figures.check_dashboard(stack)
    say(f"{by} answers all {queries} queries of the dashboard")
    say(f"{figures.check_alerts(stack)} alert rules are in force, and none fires")

    audit(stack)
    say("concentric audit: the books agree")
    codes = stack.stop()
    expect(not any(codes.values()), f"services ended with {codes} when they were told to stop")
    stack.start(without)
    until_healthy(stack, progress)
    audit(stack)
    say("the services stopped in order and started again; the books still agree")


def until_healthy(stack: Stack, progress: Progress) -> None:
    """Wait for every container, then for every service that has a port to be ready."""
    end, shown = monotonic() + HEALTHY, ""
    while True:
        states = stack.states()
        waiting = {name: state for name, state in states.items() if state != "healthy"}
        line = ", ".join(f"{name} {state}" for name, state in sorted(waiting.items()))
        if line != shown:
            progress.say(f"waiting for {line}" if line else "all containers are healthy")
            shown = line
        if not waiting and set(states) == set(stack.running):
            break
        if monotonic() > end:
            raise Failed(f"not healthy within {HEALTHY:.0f} s: {line}")
        sleep(1)
    for service in ("INTAKE", "ROUTER", "EVALUATION", "LEDGER"):
        site = stack.site(service)
        wait_for(f"{service.lower()} ready", 60, lambda site=site: site.ask("/readyz"))  # type: ignore[misc]


def audit(stack: Stack) -> None:
    """Compare the books of all services, in a container, as whoever operates it would."""
    stack.inside("ledger", "concentric", "audit")


def main() -> int:
    """Run the proof; the exit code."""
    asked, progress = arguments(), Progress()
    # As Ctrl-C does: whatever goes on is given up, and what was started is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        stack = Stack(f"concentric-verify-{os.getpid()}", asked.build_network)
    except Failed as failed:
        progress.say(f"FAILED: {failed}")
        return 1
    passed = False
    try:
        prove(stack, progress, asked.images_by)
        passed = True
        progress.say("everything holds")
    except Failed as failed:
        if stack.running:
            print(stack.logs(40), flush=True)
        progress.say(f"FAILED: {failed}")
    except KeyboardInterrupt:
        progress.say("FAILED: interrupted")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # what follows is short, and has to be done
        if asked.keep:
            progress.say(f"left running as {stack.project}: {stack.ports} {stack.passwords}")
        elif stack.running:
            progress.say("removing it all")
            passed = removed(stack, progress) and passed
    return 0 if passed else 1


def removed(stack: Stack, progress: Progress) -> bool:
    """Take it down; False, and what to do by hand, where that fails."""
    try:
        stack.remove()
    except Failed as failed:
        progress.say(f"{failed}\nRemove what is left: docker-compose -p {stack.project} down -v")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
