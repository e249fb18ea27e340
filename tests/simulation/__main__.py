"""Live many histories, on all cores: `python -m tests.simulation --seeds 1000`.

A seed whose history breaks something is told with its trace and with the command that replays it.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.history import Outcome, run

AHEAD = 4
"""Seeds that each process has before it, so that none waits for the next."""

TOLD = 120
"""Lines at a trace's end that a run of many seeds prints; a replay prints them all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 where everything held in every history."""
    parser = ArgumentParser(
        prog="python -m tests.simulation",
        description=__doc__,
        epilog="Example: make simulate SEEDS=1000, or make simulate SEED=123",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=_number, default=100, help="how many (100)")
    parser.add_argument("--first", type=_number, default=0, help="the first of them (0)")
    parser.add_argument("--seed", type=_number, help="this one alone, with its whole trace")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        return _replay(given.seed)
    return _many(range(given.first, given.first + given.seeds))


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number: write one such as 123")
    return int(text)


def _replay(seed: int) -> int:
    outcome = run(seed)
    print("\n".join(outcome.trace))
    print(f"\nSeed {seed}: {outcome.broken or 'everything held'}")
    return 1 if outcome.broken else 0


def _many(seeds: range) -> int:
    began, broken, lines = monotonic(), None, 0
    columns = (TextColumn("histories"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("histories", total=len(seeds))
        for number, outcome in enumerate(_outcomes(seeds), start=1):
            progress.advance(task)
            if not console.is_terminal and number % 50 == 0:
                console.print(f"{number} of {len(seeds)} histories")  # where no bar can be drawn
            lines += len(outcome.trace)
            if outcome.broken:
                broken = outcome
                break
    took = monotonic() - began
    if broken is None:
        print(f"{len(seeds)} histories of {lines // max(1, len(seeds))} lines: everything held.")
        print(f"{took:.0f} s, {len(seeds) / took:.1f} a second.")
        return 0
    print("\n".join(broken.trace[-TOLD:]))
    print(f"\nSeed {broken.seed}: {broken.broken}")
    print(f"Replay it, with its whole trace: make simulate SEED={broken.seed}")
    return 1


def _outcomes(seeds: Iterable[int]) -> Iterable[Outcome]:
    """As they come; those that are still to come are given up with whoever asks for them."""
    processes = os.cpu_count() or 1
    left = iter(seeds)
    # A fresh interpreter each: the bar has a thread, and a process with threads does not fork well.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        waiting: set[Future[Outcome]] = set()
        try:
            while True:
                fresh = islice(left, AHEAD * processes - len(waiting))
                waiting.update(pool.submit(run, seed) for seed in fresh)
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        finally:
            pool.shutdown(cancel_futures=True)


if __name__ == "__main__":
    sys.exit(main())
