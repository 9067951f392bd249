"""What becomes of one message in a conversation with a mail server, recipient by recipient."""

from __future__ import annotations

from collections.abc import Sequence

from models import DeliveryStatus
from services.mail.reply import Result


class Transfer:
    """One message to one server: what is known of each recipient so far, also when the conversation breaks off."""

    def __init__(self, message_id: str, sender: str, recipients: Sequence[str]) -> None:
        self.message_id = message_id
        self.sender = sender
        self.recipients = list(dict.fromkeys(recipients))
        self.results: dict[str, Result] = {}
        # Whether the server has answered at all, and whether it may have the whole message.
        self.begun = False
        self.sent = False

    @property
    def left(self) -> list[str]:
        """Recipients of whom nothing is known yet."""
        return [address for address in self.recipients if address not in self.results]

    @property
    def utf8(self) -> bool:
        """Whether an address of the envelope needs SMTPUTF8."""
        return not all(address.isascii() for address in (self.sender, *self.left))

    def restart(self) -> None:
        """Forget what is known, for a server that has not answered yet."""
        self.results.clear()

    def settle(self, result: Result) -> None:
        """Give those who are left this result."""
        self.results.update(dict.fromkeys(self.left, result))

    def broken(self, reply: str) -> None:
        """The conversation is over: nobody knows about a message that the server may have, another is sent later."""
        self.settle(Result(DeliveryStatus.UNKNOWN if self.sent else DeliveryStatus.DEFERRED, reply))
