"""What a mail server said, and what that means for a recipient (RFC 5321, RFC 3463)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models import DeliveryStatus
from services.communications.enhanced_status import address_fails, find_status

# Where a server has no enhanced codes, only what is said in so many words counts.
_NO_ENHANCED = frozenset({550, 551, 553})
_WHAT = "(?:user|recipient|mailbox|address|account)"
_NOBODY = re.compile(
    rf"no such (?:{_WHAT}|person)|(?:unknown|invalid) {_WHAT}"
    rf"|{_WHAT}\b[^;]{{0,80}}?\b(?:unknown|not found|does not exist|doesn't exist|not exist|invalid)\b",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(r"\b(?:sender|client|helo|relay\w*|spf|dkim|dmarc|spam|block\w*|black\w*)\b", re.IGNORECASE)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True)
class Reply:
    """A server's reply: its code, and its text on one line, made of nothing but readable characters."""

    code: int
    text: str

    @classmethod
    def of(cls, code: int, text: str) -> Reply:
        """The reply as aiosmtplib gives it: bytes that are no UTF-8 are lone surrogates there."""
        readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return cls(code, " ".join(_CONTROL.sub(" ", readable).split()))

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()

    @property
    def closes(self) -> bool:
        """Whether the server ends the connection with it."""
        return self.code == 421

    @property
    def address_failed(self) -> bool:
        """Whether it says, to a RCPT command, that the address itself takes no mail, and will not."""
        if self.code < 500:
            return False
        status = find_status(self.text)
        if status is not None:
            return address_fails(status)
        return self.code in _NO_ENHANCED and bool(_NOBODY.search(self.text)) and not _OTHERWISE.search(self.text)


@dataclass(frozen=True)
class Result:
    """What came of an attempt for one recipient; `reply` for people, `address_failed` as in Outcome."""

    status: DeliveryStatus
    reply: str
    address_failed: bool = False


def refused(reply: Reply, *, at_recipient: bool = False) -> Result:
    """What a reply other than success means: 5xx is final, all else may pass.

    530 (sign in, or encrypt, first) is about us, and somebody mends it: it may pass, too.
    """
    final = 500 <= reply.code < 600 and reply.code != 530
    status = DeliveryStatus.FAILED if final else DeliveryStatus.DEFERRED
    return Result(status, str(reply), at_recipient and reply.address_failed)
