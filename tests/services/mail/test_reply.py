"""What a mail server's reply means for a recipient and for their address."""

from __future__ import annotations

import pytest

from models import DeliveryStatus
from services.mail.reply import Reply, refused


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        ("550 5.1.1 <x@example.com>: Recipient address rejected", True),
        ("550 5.1.2 bad destination system", True),
        ("553 5.1.3 malformed", True),
        ("551 5.1.6 moved", True),
        ("556 5.1.10 null MX", True),
        ("550 5.1.0 address rejected", False),
        ("550 5.1.8 sender domain not found", False),
        ("550 5.2.1 mailbox disabled", True),
        ("550 5.4.1 Recipient address rejected: Access denied", True),
        ("550 <x@example.com>: 5.1.1 user unknown", True),
        ("552 5.2.2 mailbox full", False),
        ("554 5.7.1 no such user here, says the policy", False),
        ("450 4.1.1 no such user yet", False),
        ("550 No such user here", True),
        ("550 Unknown user", True),
        ("550 <x@example.com>... User unknown", True),
        ("550 Recipient address x@example.com does not exist", True),
        ("553 Invalid recipient", True),
        ("550 mailbox unavailable", False),
        ("550 Sender address rejected: user unknown", False),
        ("550 Relaying denied, unknown user", False),
        ("554 no such user", False),
        ("550 blocked: invalid address in HELO", False),
        ("550", False),
    ],
)
def test_only_what_is_said_about_the_address_itself_marks_it(said: str, failed: bool) -> None:
    code, _, text = said.partition(" ")
    reply = Reply.of(int(code), text)
    assert reply.address_failed is failed
    assert refused(reply, at_recipient=True).address_failed is failed
    assert refused(reply).address_failed is False


@pytest.mark.parametrize(
    ("code", "status"),
    [(421, "DEFERRED"), (450, "DEFERRED"), (530, "DEFERRED"), (550, "FAILED"), (554, "FAILED"), (251, "DEFERRED")],
)
def test_only_5xx_is_final(code: int, status: str) -> None:
    assert refused(Reply.of(code, "said")).status is DeliveryStatus(status)


def test_a_reply_is_one_readable_line() -> None:
    assert str(Reply.of(550, "5.1.1 a\n\tb\x00c\udce4\u2028d")) == "550 5.1.1 a b c� d"
    assert str(Reply.of(250, "")) == "250"
