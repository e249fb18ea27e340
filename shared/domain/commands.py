"""What somebody asks for, in the imperative: every command may be refused with its reasons."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.domain.case import Name, Submission, Text
from shared.domain.ids import case_id, case_of_token
from shared.domain.model import GivenInstant, Input
from shared.domain.reviews import Month


class Command(Input):
    """The base of all commands; `type` is the middle of `concentric.TYPE.v1` on the wire."""

    type: ClassVar[str]

    @property
    def about(self) -> str:
        """The id of the case that the command is about."""
        raise NotImplementedError


class CaseCommand(Command):
    """A command about a case that exists."""

    case_id: Name

    @property
    def about(self) -> str:
        """The case that is named."""
        return self.case_id


class SubmitCase(Submission, Command):
    """Record this case; submitted again, the answer is the case that exists."""

    type = "submit-case"

    @cached_property
    def about(self) -> str:
        """The case that the submission is, for ever."""
        return case_id(self.source, self.external_id)


class WithdrawCase(CaseCommand):
    """Take the case back."""

    type = "withdraw-case"
    reason: Annotated[Text, Field(min_length=1)]
    by: Name | None = None


class UnitCommand(CaseCommand):
    """A command by a unit of the house."""

    unit: Name
    """The unit that acts."""
    person: Name | None = None


class AcceptCase(UnitCommand):
    """The unit takes the case on."""

    type = "accept-case"


class ReturnCase(UnitCommand):
    """The unit gives the case back to where it came from."""

    type = "return-case"
    reason: Annotated[Text, Field(min_length=1)]


class TransferCase(UnitCommand):
    """Hand the case to the unit that can solve it."""

    type = "transfer-case"
    to_unit: Name
    reason: Annotated[Text, Field(min_length=1)]


class ReplyToCase(UnitCommand):
    """Answer the case."""

    type = "reply-to-case"
    reply: Annotated[Text, Field(min_length=1)]


class PauseClock(UnitCommand):
    """Let the clocks stand still, for one of the policy's reasons."""

    type = "pause-clock"
    reason: Name
    """Id of the reason in the policy."""
    until: GivenInstant | None = None
    """When the pause ends by itself; left out, when the policy ends it."""


class ResumeClock(UnitCommand):
    """Let the clocks go on."""

    type = "resume-clock"


class RequestExtension(UnitCommand):
    """Ask for more time."""

    type = "request-extension"
    days: Annotated[int, Field(strict=True, ge=1, le=1000)]
    """Working days."""
    reason: Annotated[Text, Field(min_length=1)]


class DecideExtension(UnitCommand):
    """Grant or refuse the time that was asked for."""

    type = "decide-extension"
    granted: bool
    note: Text = ""


class RetriageCase(CaseCommand):
    """Let the policy in force decide the open case anew; its clock still starts where it did."""

    type = "retriage-case"
    by: Name
    reason: Annotated[Text, Field(min_length=1)]


PolicyText = Annotated[str, StringConstraints(strip_whitespace=False, max_length=2_000_000)]
"""A policy file as it stands, to the last space: its checksum names it."""


class ApplyPolicy(Command):
    """Make this policy the house's, for every service from the same moment on."""

    type = "apply-policy"
    content: PolicyText
    by: Name
    note: Text = ""
    watched: bool = False
    """Whether it is the house's own file, which its router looks at; people leave it out."""

    @property
    def about(self) -> str:
        """Empty: a policy is about no case."""
        return ""


class ShadowPolicy(Command):
    """Let a candidate decide beside the policy in force, without effect; without one, stop that."""

    type = "shadow-policy"
    content: PolicyText | None = None
    by: Name

    @property
    def about(self) -> str:
        """Empty: a policy is about no case."""
        return ""


class SignReview(Command):
    """Sign the review of a unit's month."""

    type = "sign-review"
    reviewed: Name
    """The unit whose month it is."""
    month: Month
    unit: Name
    """The unit that signs."""
    person: Name
    remark: Text = ""

    @property
    def about(self) -> str:
        """Empty: a review is about no case."""
        return ""


class RateReply(Command):
    """Rate the answer; the token of the personal link says which and entitles to it."""

    type = "rate-reply"
    token: Name
    score: Name
    comment: Text = ""

    @property
    def claimed(self) -> str:
        """The case that the token names; only evaluation knows whether it was given out."""
        return case_of_token(self.token)

    @property
    def about(self) -> str:
        """Empty: what a token says is not to be believed before evaluation has looked at it."""
        return ""


class RetryNotification(Command):
    """Try to deliver a failed notification again, from the beginning of its schedule."""

    type = "retry-notification"
    notification_id: Name

    @property
    def about(self) -> str:
        """Empty: only notify knows which case the notification is about."""
        return ""


def _concrete(base: type[Command]) -> list[type[Command]]:
    leaves = [leaf for sub in base.__subclasses__() for leaf in _concrete(sub)]
    return leaves or [base]


COMMANDS: dict[str, type[Command]] = {command.type: command for command in _concrete(Command)}
"""Every command by its type."""
