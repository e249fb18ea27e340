"""What must be true of the sections that say who is told what, beyond the shape of their parts."""

from __future__ import annotations

from shared.domain.notices import Way
from shared.policy.checks.draft import Draft
from shared.policy.schema.names import suggest
from shared.policy.schema.notify import NotificationRow
from shared.policy.source import Path


def check_notifications(draft: Draft) -> None:
    """Report what is wrong with `contacts`, `messages` and `notifications`."""
    _units(draft)
    _quiet(draft)
    _reach(draft)


def _units(draft: Draft) -> None:
    if draft.has("contacts"):
        for name, contact in draft["contacts"].units.items():
            path: Path = ("contacts", "units", name)
            if name not in draft.names.unit:
                message = f"There is no unit `{name}`: {suggest(name, draft.names.unit)}"
                draft.report(path, "unknown-unit", message)
            if not contact.mail and not contact.webhook:
                message = "Give it `mail` or `webhook` addresses, or leave the unit out."
                draft.report(path, "no-address", message)


def _quiet(draft: Draft) -> None:
    quiet = draft["messages"].quiet if draft.has("messages") else None
    if quiet is not None and quiet.start == quiet.until:
        message = "The quiet hours end when they begin: give another time, or leave `quiet` out."
        draft.report(("messages", "quiet", "until"), "empty", message)


def _reach(draft: Draft) -> None:
    """A row that can reach nobody at all is a mistake, not a rule."""
    if not draft.has("contacts"):
        return
    contacts = draft["contacts"]
    mail = contacts.unit_mail or any(each.mail for each in contacts.units.values())
    webhooks = any(each.webhook for each in contacts.units.values())
    for index, row in draft.tables["notifications"]:
        assert isinstance(row, NotificationRow)
        told = row.then
        path: Path = (*draft.rows_of("notifications"), index, "then")
        if "recorder" in told.tell and Way.MAIL in told.by and contacts.staff_mail is None:
            message = "Nobody knows a recorder's address: add `staff_mail` to `contacts`."
            draft.report((*path, "tell"), "no-address", message)
        units = set(told.tell) - {"recorder"}
        if units and Way.MAIL in told.by and not mail:
            message = "No unit has a mail address: add `unit_mail` or `units` to `contacts`."
            draft.report((*path, "by"), "no-address", message)
        if units and Way.WEBHOOK in told.by and not webhooks:
            message = "No unit has a webhook: add one under `contacts.units`."
            draft.report((*path, "by"), "no-address", message)
        if not units and told.by == (Way.WEBHOOK,):
            message = "A recorder is told by mail alone: write `by: [mail]`."
            draft.report((*path, "by"), "no-address", message)
