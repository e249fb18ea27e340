"""Requests take turns, wait for a while at most, and are turned away beyond a number."""

from __future__ import annotations

import asyncio
import threading
from time import monotonic

import pytest

from shared.domain.errors import Overloaded
from shared.runtime.turns import Turns


def test_no_more_run_at_once_than_there_are_turns() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return 1

    async def ask() -> list[int]:
        turns = Turns(at_once=3)
        return list(await asyncio.gather(*(turns.run(work) for _ in range(12))))

    assert sum(asyncio.run(ask())) == 12
    assert most == 3


def test_whoever_comes_when_enough_wait_is_turned_away_at_once() -> None:
    over = threading.Event()

    async def ask() -> list[object]:
        turns = Turns(at_once=1, waiting=2, patience=10)
        first = [asyncio.ensure_future(turns.run(over.wait)) for _ in range(3)]
        await asyncio.sleep(0.05)
        began = monotonic()
        with pytest.raises(Overloaded, match="2 requests wait already"):
            await turns.run(over.wait)
        assert monotonic() - began < 1
        over.set()
        return list(await asyncio.gather(*first))

    assert asyncio.run(ask()) == [True] * 3


def test_nobody_waits_longer_than_is_bearable_and_a_turn_given_up_is_not_lost() -> None:
    over = threading.Event()

    async def ask() -> object:
        turns = Turns(at_once=1, patience=0.05)
        first = asyncio.ensure_future(turns.run(over.wait))
        await asyncio.sleep(0.01)
        for _ in range(3):
            with pytest.raises(Overloaded, match=r"no turn came within 0\.05 s"):
                await turns.run(over.wait)
        over.set()
        await first
        return await turns.run(lambda: "free again")

    assert asyncio.run(ask()) == "free again"


def test_a_function_that_fails_gives_its_turn_back() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def ask() -> object:
        turns = Turns(at_once=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await turns.run(fail)
        return await turns.run(lambda: "free")

    assert asyncio.run(ask()) == "free"
