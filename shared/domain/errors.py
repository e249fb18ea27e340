"""Every error of Concentric.

ConcentricError
├── Refusal              somebody asked for what cannot be done; the reasons go back to the asker
│   ├── NotFound         the thing asked for does not exist
│   └── Conflict         the thing exists, but its state or its owner forbids the act
├── Unreadable           a message that cannot be understood; it is parked with its reason
├── Unavailable          a server is away or busy; whoever meets it waits and tries again
│   └── Overloaded       this service has as much to do as it takes on; nothing was begun
├── PolicyError          a policy file that cannot be used; the running policy stays
└── ConfigurationError   a setting, a file or a schema with which nothing can start
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.model import Value


class Problem(Value):
    """One thing that is wrong with an input, and how to mend it."""

    field: str
    """Where: a path such as `informant.contact`, or empty for the input as a whole."""
    code: str
    """What, for programs: a stable word such as `unknown-channel`."""
    message: str
    """What and how to mend it, for people."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class ConcentricError(Exception):
    """The base of all errors raised on purpose."""


class Refusal(ConcentricError):
    """A command that cannot be carried out, with all its problems at once.

    Raised before anything is written; the asker gets every problem, not the first one alone.
    """

    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)

    @classmethod
    def of(cls, field: str, code: str, message: str) -> Refusal:
        """A refusal for one reason."""
        return cls([Problem(field=field, code=code, message=message)])


class NotFound(Refusal):
    """What was asked for does not exist."""

    status = 404


class Conflict(Refusal):
    """What was asked for is forbidden by the state of the case or by who asks."""

    status = 409


class Unreadable(ConcentricError):
    """A message whose content cannot be understood.

    `sender` is the CloudEvents source or the reply address where the message names one.
    """

    def __init__(self, reason: str, *, sender: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sender = sender


class Unavailable(ConcentricError):
    """A database or broker that is away, full or busy: wait and try again, nothing is lost."""


class Overloaded(Unavailable):
    """A service that takes on nothing more for now; what was asked for had no effect at all.

    `seconds` is how long to wait before asking again.
    """

    def __init__(self, reason: str, *, seconds: int) -> None:
        super().__init__(reason)
        self.seconds = seconds


class PolicyError(ConcentricError):
    """A policy file that cannot be used; each problem's field names line, column and path."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"The policy {file} cannot be used:\n{lines}")
        self.file = file
        self.problems = tuple(problems)


class ConfigurationError(ConcentricError):
    """A setting, a file or a schema with which nothing can start; the message says the mend."""
