"""The words of a message: templates in Chinese and English, and the JSON of a webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from services.notify.notices import Notice
from shared.domain.policy import Policy, Titled

if TYPE_CHECKING:
    from jinja2 import Environment

SEPARATOR = "\n\n" + "─" * 40 + "\n\n"
"""Between the languages of a mail."""


class Words:
    """Renders messages by one policy; `case_url` is the link to a case, with `{case_id}` in it."""

    def __init__(self, policy: Policy, case_url: str | None) -> None:
        self._policy = policy
        self._case_url = case_url

    def mail(self, notice: Notice) -> tuple[str, str]:
        """Subject and text, in each of the policy's languages."""
        parts = [self._in_language(notice, each) for each in self._policy.messages.languages]
        subject = " / ".join(subject for subject, _ in parts)
        return subject, SEPARATOR.join(text for _, text in parts) + "\n"

    def webhook(self, notice: Notice) -> bytes:
        """The body by the Standard Webhooks specification: type, timestamp, data."""
        told = notice.told
        assert told is not None, "lists go out by mail"
        data = told.plain()
        del data["event"]
        data |= {"role": notice.role, "told_unit": notice.unit, "link": self._link(told.case_id)}
        body = {"type": notice.event, "timestamp": notice.happened_at.isoformat(), "data": data}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def _in_language(self, notice: Notice, language: str) -> tuple[str, str]:
        kind = "case" if notice.told is not None else "list"
        template = templates().get_template(f"{kind}.{language}.txt")
        text = template.render(
            notice=notice,
            told=notice.told,
            list=notice.day_list,
            unit=lambda name: _title(self._policy.units, name, language),
            colour=lambda name: _title(self._policy.colours, name, language),
            day=self._day,
            link=self._link,
        )
        subject, _, rest = text.strip().partition("\n")
        return subject.strip(), rest.strip()

    def _day(self, at: datetime) -> str:
        return self._policy.calendar.local_day(at).isoformat()

    def _link(self, case_id: str) -> str | None:
        # Not `format`: what else stands in braces is none of our business.
        return self._case_url.replace("{case_id}", case_id) if self._case_url else None


def _title(things: Mapping[str, Titled], name: str, language: str) -> str:
    thing = things.get(name)
    return thing.title.get(language, name) if thing is not None else name


@cache
def templates() -> Environment:
    """The templates; their engine is loaded when something is told first."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    # Plain text: what is escaped for HTML would be read by people as it stands.
    return Environment(
        loader=PackageLoader("services.notify", "messages"),
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
