"""The integrators' client works as it stands, in each of the forms that it offers."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.bus.codec import Envelope, decode, encode
from shared.bus.protocol import Message, Subscription
from shared.bus.rabbit import RabbitBus
from shared.domain.aggregates import Judgement
from shared.domain.commands import SubmitCase
from shared.domain.errors import Problem
from shared.domain.events import CaseClosed, CaseRefused, Event
from shared.domain.ids import new_id
from shared.domain.model import EPOCH
from tests.contract.bus.readers import Reader

DESK = Subscription("intake", events=(), commands=("submit-case",))
FOLDER = Path(__file__).parents[3] / "examples/client"


def closed(command: SubmitCase) -> Event:
    judgement = Judgement(case_id=command.about, version=1)
    return CaseClosed(case_id=command.about, judgement=judgement, reason="satisfied", at=EPOCH)


def refused(command: SubmitCase) -> Event:
    problem = Problem(field="channel", code="unknown-channel", message="Use another channel.")
    return CaseRefused(case_id=command.about, source=command.source, problems=(problem,))


def answer_cases(bus: RabbitBus, intake: Reader) -> None:
    """Close the first case and refuse the second, as the services would."""
    intake.wait_for_count(2)
    for delivery, answer in zip(intake.got, (closed, refused), strict=True):
        (envelope,) = decode(delivery.message)
        assert isinstance(envelope, Envelope)
        assert isinstance(envelope.data, SubmitCase)
        event = answer(envelope.data)
        said = Envelope(
            id=new_id(),
            type=event.type,
            source="/concentric/test",
            subject=event.case_id,
            time=EPOCH,
            data=event,
        )
        bus.publish([Message(new_id(), event.type, encode([said]))])


@pytest.mark.parametrize("form", ["plain", "structured", "binary"])
def test_the_client_hands_cases_in_and_prints_what_becomes_of_them(
    rabbit: Callable[..., RabbitBus], vhost: str, form: str
) -> None:
    bus = rabbit()
    intake = Reader(bus, DESK)
    command = [
        sys.executable,
        str(FOLDER / "submit.py"),
        "--url",
        vhost,
        "--form",
        form,
        "--seconds",
        "9",
    ]
    with subprocess.Popen(
        [*command, str(FOLDER / "cases.jsonl")], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as client:
        answer_cases(bus, intake)
        printed, _ = client.communicate(timeout=20)

    assert client.returncode == 0
    assert printed.splitlines() == [
        "1970-01-01T00:00:00Z 2026-0001 case.closed",
        "1970-01-01T00:00:00Z 2026-0002 case.refused Use another channel.",
    ]


def test_sending_the_same_file_again_sends_the_same_messages(
    rabbit: Callable[..., RabbitBus], vhost: str
) -> None:
    intake = Reader(rabbit(), DESK)
    command = [sys.executable, str(FOLDER / "submit.py"), "--url", vhost, "--seconds", "0.1"]
    for _ in range(2):
        ended = subprocess.run(
            [*command, str(FOLDER / "cases.jsonl")], capture_output=True, text=True, check=False
        )
        assert "nothing more was heard of: 2026-0001, 2026-0002" in ended.stderr
    intake.wait_for_count(4)
    time.sleep(0.1)
    assert intake.ids[:2] == intake.ids[2:]
