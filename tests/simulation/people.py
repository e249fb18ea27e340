"""The people around a simulated house: they submit, handle, answer, rate, and sometimes err."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.bus.codec import encode
from shared.bus.envelope import Envelope
from shared.bus.protocol import Message
from shared.domain.aggregates import Handling, HandlingState
from shared.domain.case import GivenAnswer, GivenInformant, Kind
from shared.domain.commands import (
    AcceptCase,
    ApplyPolicy,
    Command,
    DecideExtension,
    PauseClock,
    RateReply,
    ReplyToCase,
    RequestExtension,
    ResumeClock,
    RetriageCase,
    ReturnCase,
    SignReview,
    SubmitCase,
    TransferCase,
    WithdrawCase,
)
from shared.domain.events import (
    CaseRecorded,
    EvaluationRequested,
    Event,
    HandlingEvent,
    ReviewOpened,
)
from shared.domain.ids import new_id
from shared.domain.reviews import Review
from shared.runtime.work import Request
from tests.simulation import rules
from tests.simulation.broker import Broker
from tests.simulation.chance import Chance, Crash
from tests.simulation.records import Records
from tests.simulation.replica import Replica

UNITS = ("house", "repair", "north", "south")

SECRETS = ("Mei Lin", "mei@home.example.org", "the neighbour at number nine")
"""A name, an address and words that may stand in no log, metric, header or queue's name."""

MOST = 8
"""Cases that people raise; further submissions repeat them."""

OWNERS = {
    "intake": (SubmitCase, WithdrawCase),
    "router": (
        AcceptCase, ApplyPolicy, ReplyToCase, RetriageCase, ReturnCase, TransferCase,
    ),
    "deadline": (PauseClock, ResumeClock, RequestExtension, DecideExtension),
    "evaluation": (RateReply,),
    "ledger": (SignReview,),
}  # fmt: skip
"""Who carries out what."""


@dataclass
class People:
    """What they know is what they heard, and that may be old."""

    chance: Chance
    broker: Broker
    records: Records
    replicas: Mapping[str, Sequence[Replica]]
    handlings: dict[str, Handling] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)
    """Tokens of the links that were given out, by case."""
    reviews: list[Review] = field(default_factory=list)
    submitted: list[SubmitCase] = field(default_factory=list)
    promised: list[Event] = field(default_factory=list)
    """Events of which somebody was told that they have happened."""
    _waiting: list[tuple[Request, Command]] = field(default_factory=list)
    """Requests that were not answered yet; those of the dead never will be."""
    _unsure: list[tuple[str, Message]] = field(default_factory=list)
    """Messages whose sender has not heard that they arrived: it sends them again."""
    _read: int = 0

    def act(self) -> None:
        """Somebody does something."""
        self.listen()
        if self._unsure and self.chance.tenth(4):
            self._send(*self._unsure.pop())
            return
        command = self._command()
        if isinstance(command, ApplyPolicy) or self.chance.tenth(7):
            self._ask(command)
        else:
            self._write(command)

    def sabotage(self) -> None:
        """A stranger sends what nobody can read, or what no database would take."""
        if self.chance.tenth(4):
            command = AcceptCase(case_id="unwritable", unit="north")
            message, envelope = self._letter(command)
            self.records.unwritable.add(envelope.id)
        else:
            body = self.chance.one_of((
                b"{", b"[1]", b'[{"specversion": "1.0"}]', b"\xff\xfe",
                b'[{"specversion":"1.0","id":"1","source":"/x","type":"concentric.case.routed.v9"}]',
            ))  # fmt: skip
            key = self.chance.one_of(("case.routed", "case.closed", "reply-to-case"))
            message = Message(new_id(), key, body)
        self.records.poison.add(message.id)
        self._send("a stranger", message)

    def listen(self) -> None:
        """Hear what was published, and what became of requests."""
        heard = list(self.records.heard.values())[self._read :]
        self._read += len(heard)
        for envelope in heard:
            event = envelope.data
            if isinstance(event, EvaluationRequested):
                token = event.link.rpartition("/")[2]
                self.links.setdefault(event.case_id, []).append(token)
            elif isinstance(event, HandlingEvent):
                known = self.handlings.get(event.case_id)
                if known is None or known.version < event.handling.version:
                    self.handlings[event.case_id] = event.handling
            elif isinstance(event, ReviewOpened):
                self.reviews.append(event.review)
            elif isinstance(event, CaseRecorded):
                self.handlings.setdefault(event.case_id, Handling(case_id=event.case_id))
        for waiting in [each for each in self._waiting if each[0].answer.done()]:
            self._waiting.remove(waiting)
            self._hear_answer(*waiting)

    def finish(self) -> bool:
        """Send once more what nobody has confirmed; whether there was anything."""
        self.listen()
        unsure, self._unsure = self._unsure, []
        for each in unsure:
            self._send(*each)
        return bool(unsure)

    def _hear_answer(self, request: Request, command: Command) -> None:
        error = request.answer.exception()
        outcome = error or request.answer.result()[0]
        if isinstance(outcome, BaseException):
            self.records.tell("somebody", f"hears of {command.type}: {outcome}")
        else:
            self.records.tell("somebody", f"hears that {command.type} is done")
            self.promised.extend(outcome)

    def _ask(self, command: Command) -> None:
        service = next(name for name, known in OWNERS.items() if isinstance(command, known))
        ready = [each for each in self.replicas[service] if each.up and not each.full]
        if not ready:
            return
        replica = self.chance.one_of(ready)
        self.records.tell("somebody", f"asks {replica.name} for {self._words(command)}")
        self._waiting.append((replica.ask(command), command))

    def _write(self, command: Command) -> None:
        message, _ = self._letter(command)
        self.records.tell("somebody", f"writes {message.id[-6:]} {self._words(command)}")
        self._send("somebody", message)

    def _letter(self, command: Command) -> tuple[Message, Envelope]:
        envelope = Envelope(
            id=new_id(),
            type=command.type,
            source="/people",
            subject=command.about,
            time=self.chance.now,
            data=command,
        )
        return Message(new_id(), command.type, encode([envelope])), envelope

    def _send(self, sender: str, message: Message) -> None:
        self.records.foreign.add(message.id)
        try:
            self.broker.publish(sender, [message])
        except Exception:  # noqa: BLE001 - whatever it is, it is sent again
            self._unsure.append((sender, message))
        except Crash:
            self._unsure.append((sender, message))

    def _words(self, command: Command) -> str:
        about = next((s.external_id for s in self.submitted if s.about == command.about), "")
        unit = getattr(command, "unit", "")
        return " ".join(filter(None, (command.type, about, unit and f"by {unit}")))

    # ── what they want ────────────────────────────────────────────────────────────────────────

    def _command(self) -> Command:
        known = len(self.handlings)
        if not known or (known < MOST and self.chance.tenth(2)):
            return self._submission()
        if self.chance.tenth(6):
            return self._next_step()
        choices: tuple[Callable[[], Command], ...] = (
            *(lambda: self._handle(self._case()),) * 4, *(self._rate,) * 3,
            *(lambda: self._keep_time(self._case()),) * 3,
            self._retriage, self._apply, self._sign,
        )  # fmt: skip
        return self.chance.one_of(choices)()

    def _next_step(self) -> Command:
        """What whoever has the case would do next, as far as they have heard."""
        known, chance = self._case(), self.chance
        if known.state is HandlingState.REPLIED and known.case_id in self.links:
            token = self.links[known.case_id][-1]
            return RateReply(token=token, score=chance.one_of(("good", "bad", "bad")))
        if known.state in {HandlingState.ROUTED, HandlingState.ACCEPTED}:
            acts = (self._answer, self._answer, self._handle, self._keep_time)
            return chance.one_of(acts)(known)
        return self._withdraw() if chance.tenth(1) else self._keep_time(known)

    def _submission(self) -> SubmitCase:
        chance = self.chance
        if self.submitted and (len(self.submitted) > MOST or chance.tenth(2)):
            return chance.one_of(self.submitted)
        number = len(self.submitted) + 1
        answered = chance.tenth(1)
        at = chance.now - timedelta(days=chance.dice.randrange(9))
        submission = SubmitCase(
            source="hotline",
            external_id=f"case-{number}",
            channel="hotline" if chance.tenth(9) else "nowhere",
            kind=chance.one_of((Kind.PROBLEM, Kind.PROBLEM, Kind.COMPLAINT, Kind.INFORMATION)),
            subject=chance.one_of(("No light", "Too loud", f"Matter {number}")),
            text=chance.one_of((f"There is a fire, says {SECRETS[2]}", "It is dark")),
            recorded_at=at if answered or chance.tenth(2) else None,
            recorder="clerk" if chance.tenth(7) else None,
            station=chance.one_of(("north", "south", None)),
            informant=GivenInformant(
                ref=f"caller-{number % 4}", name=SECRETS[0], contact=SECRETS[1]
            )
            if chance.tenth(7)
            else GivenInformant(),
            answer=GivenAnswer(text="It is light again.", at=at, by="clerk") if answered else None,
        )
        self.submitted.append(submission)
        return submission

    def _case(self) -> Handling:
        """Often one of the last, so that much happens to some."""
        known = list(self.handlings.values())
        return self.chance.one_of(known[-4:] if self.chance.tenth(6) else known)

    def _unit(self, known: Handling) -> str:
        return known.unit if known.unit and self.chance.tenth(9) else self.chance.one_of(UNITS)

    def _answer(self, known: Handling) -> Command:
        person = self.chance.one_of(("clerk", "caller-1", None))
        unit = self._unit(known)
        return ReplyToCase(case_id=known.case_id, unit=unit, person=person, reply="It is mended.")

    def _handle(self, known: Handling) -> Command:
        chance, case_id, unit = self.chance, known.case_id, self._unit(known)
        if chance.tenth(5):
            return AcceptCase(case_id=case_id, unit=unit, person="clerk")
        if chance.tenth(5):
            to_unit = chance.one_of(UNITS)
            return TransferCase(case_id=case_id, unit=unit, to_unit=to_unit, reason="Theirs")
        return ReturnCase(case_id=case_id, unit=unit, reason="Not ours")

    def _keep_time(self, known: Handling) -> Command:
        chance, case_id, unit = self.chance, known.case_id, self._unit(known)
        if chance.tenth(4):
            until = chance.now + timedelta(hours=30) if chance.tenth(5) else None
            return PauseClock(case_id=case_id, unit=unit, reason="waiting", until=until)
        if chance.tenth(3):
            return ResumeClock(case_id=case_id, unit=unit)
        if chance.tenth(5):
            days = chance.dice.randrange(1, 5)
            return RequestExtension(case_id=case_id, unit=unit, days=days, reason="Parts")
        return DecideExtension(case_id=case_id, unit="house", granted=chance.tenth(6))

    def _rate(self) -> Command:
        guessed = (f"{case_id}.guessed" for case_id in self.links)
        given = (token for known in self.links.values() for token in known)
        tokens = ["guessed", *guessed, *given]
        score = self.chance.one_of(("good", "bad", "bad"))
        return RateReply(token=self.chance.one_of(tokens), score=score)

    def _withdraw(self) -> Command:
        return WithdrawCase(case_id=self._case().case_id, reason="Settled")

    def _retriage(self) -> Command:
        return RetriageCase(case_id=self._case().case_id, by="clerk", reason="Other rules")

    def _sign(self) -> Command:
        if not self.reviews:
            return self._apply()
        known, unit = self.chance.one_of(self.reviews), self.chance.one_of(("house", "north"))
        return SignReview(reviewed=known.unit, month=known.month, unit=unit, person="the head")

    def _apply(self) -> Command:
        return ApplyPolicy(content=self.chance.one_of(rules.LATER), by="the head of the house")
