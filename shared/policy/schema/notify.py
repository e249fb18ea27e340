"""The policy file's shape, second part: who is told what outside the ledger, and when.

Addresses stand here; passwords, signing secrets and the URLs of endpoints do not: they are settings
(docs/operations.md).
"""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.notices import Way
from shared.policy.engine.table import Hit
from shared.policy.schema.names import ColourRef
from shared.policy.schema.parts import Part
from shared.policy.schema.rules import AllHit, RowPart, TablePart
from shared.policy.schema.vocabulary import Id

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`|~-]+"
_LOCAL = rf"{_ATOM}(\.{_ATOM})*"
_DOMAIN = r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*"

MailAddress = Annotated[
    str, StringConstraints(strict=True, max_length=254, pattern=rf"^{_LOCAL}@{_DOMAIN}$")
]
"""A `dot-atom` address in ASCII (RFC 5322), without what would need quotes."""

WallTime = Annotated[
    str, StringConstraints(strict=True, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
]
"""A time of day on the wall of the place, such as `08:00`."""

Recipient = Literal["unit", "parent", "supervisors", "station", "recorder"]


def wall_time(text: str) -> time:
    """The time of a `WallTime`."""
    return time.fromisoformat(text)


def _template(word: str) -> AfterValidator:
    def check(text: str) -> str:
        local = text.rpartition("@")[0]
        filled = text.replace(f"{{{word}}}", "x", 1)
        if local.count(f"{{{word}}}") == 1 and re.fullmatch(rf"{_LOCAL}@{_DOMAIN}", filled):
            return text
        raise PydanticCustomError(
            "template",
            "write an address with `{word}` once before the @, such as `{word}@example.org`",
            {"word": f"{{{word}}}"},
        )

    return AfterValidator(check)


_Template = Annotated[str, StringConstraints(strict=True, max_length=200)]


class ContactPart(Part):
    """Where a unit is reached."""

    mail: tuple[MailAddress, ...] = ()
    """In place of `unit_mail`."""
    webhook: tuple[Id, ...] = ()
    """Ids of endpoints; their URLs and secrets are settings."""


class ContactsPart(Part):
    """Where the house is reached."""

    unit_mail: Annotated[_Template, _template("unit")] | None = None
    """The address of a unit that has none of its own here."""
    staff_mail: Annotated[_Template, _template("person")] | None = None
    """The address of a member of staff."""
    units: dict[str, ContactPart] = Field(default_factory=dict)


class QuietPart(Part):
    """Hours in which nobody is told, but of the colours that are exempt."""

    start: Annotated[WallTime, Field(alias="from")]
    until: WallTime
    days_off: StrictBool = False
    except_: Annotated[tuple[ColourRef, ...], Field(alias="except")] = ()


class DigestPart(Part):
    """The list that each unit gets on the morning of a working day."""

    at: WallTime


class MessagesPart(Part):
    """How messages look, and when they go out."""

    languages: Annotated[tuple[Literal["zh", "en"], ...], Field(min_length=1, max_length=2)] = (
        "zh",
        "en",
    )
    show: Literal["case", "subject"] = "case"
    """What a message tells of a case: its id alone, or its subject as well."""
    quiet: QuietPart | None = None
    digest: DigestPart | None = None


class Told(Part):
    """Who is told, and how."""

    tell: Annotated[tuple[Recipient, ...], Field(min_length=1)]
    by: Annotated[tuple[Way, ...], Field(min_length=1)] = (Way.MAIL,)


class NotificationRow(RowPart):
    """A row of the notification table: every row that matches counts."""

    then: Told


class NotificationTable(TablePart):
    """Who is told of what: every row that matches counts."""

    hit: AllHit = Hit.COLLECT
    rows: Annotated[tuple[NotificationRow, ...], Field(max_length=200)] = ()
