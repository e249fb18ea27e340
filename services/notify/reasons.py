"""Why a try failed, in words that name no person and no address: servers quote both."""

from __future__ import annotations

import http.client
import smtplib
import socket
import ssl


def reason_of(error: Exception) -> str:
    """What the record of a delivery says of an error."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=0)
        return f"the mail server refuses the address (SMTP {code})"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server refuses our password (SMTP {error.smtp_code})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered SMTP {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server knows no STARTTLS, or no login"
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    return f"{type(error).__name__}"


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no answer in time"),
    (ConnectionRefusedError, "connection refused"),
    (socket.gaierror, "the host is not known"),
    (ssl.SSLCertVerificationError, "the certificate cannot be trusted"),
    (ssl.SSLError, "no secure connection could be made"),
    (smtplib.SMTPServerDisconnected, "the connection was lost"),
    (ConnectionError, "the connection was lost"),
    (http.client.HTTPException, "the answer cannot be understood"),
)
"""The more special before the more general."""
