"""One message by mail: rendered, and handed to the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from services.notify.notices import Notice, Outcome
from services.notify.reasons import reason_of
from services.notify.render import Words
from shared.outside import MailServer

TIMEOUT = 10.0
"""Seconds that the mail server has for each step."""


def letter(notice: Notice, words: Words, sender: str) -> EmailMessage:
    """The mail: plain text, with an id that every try has in common (RFC 5322)."""
    subject, text = words.mail(notice)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender, display_name="Concentric")
    message["To"] = Address(addr_spec=notice.to)
    message["Subject"] = subject
    message["Date"] = format_datetime(notice.planned_at)
    message["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    # So that out-of-office answers stay away (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    if notice.urgency == 0:
        message["Importance"] = "high"
    message.set_content(text)
    return message


def send(message: EmailMessage, server: MailServer) -> Outcome:
    """Hand a mail over; an address that does not exist is not tried again."""
    try:
        smtp = _connect(server, f"{message['From'].addresses[0].domain}")
        try:
            smtp.send_message(message)
        finally:
            # The mail is handed over by now or it is not, however the farewell ends.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()
    except smtplib.SMTPRecipientsRefused as error:
        final = all(code >= 500 for code, _ in error.recipients.values())
        return Outcome(reason=reason_of(error), final=final)
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(reason=reason_of(error))
    return Outcome()


def _connect(server: MailServer, name: str) -> smtplib.SMTP:
    # Without a name smtplib asks the DNS for one, which can take long.
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, name, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, name, timeout=TIMEOUT)
    try:
        if server.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp
