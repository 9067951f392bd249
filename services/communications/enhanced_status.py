"""Enhanced status codes of mail systems (RFC 3463 and its registry): which of them say that an address is dead."""

from __future__ import annotations

import re

# What is wrong with a permanent failure, by subject and detail: whether the address itself takes no mail, and will not.
# What is not here says nothing against the address: a policy, content, a fault on the way. A mark that is wrong keeps
# invoices from somebody, a mark that is missing only lets another email bounce: where in doubt, there is none.
_ADDRESS_FAILS = {
    "1.0": False,  # something about an address, perhaps ours
    "1.1": True,  # no such mailbox
    "1.2": True,  # no such domain
    "1.3": True,  # not an address there
    "1.4": False,  # several mailboxes
    "1.6": True,  # the mailbox has moved, nobody knows where to
    "1.7": False,  # our own address
    "1.8": False,  # our own domain
    "1.10": True,  # the domain takes no mail (null MX)
    "2.1": True,  # the mailbox is disabled
    "2.2": False,  # the mailbox is full
    "2.3": False,  # the message is too long
    "4.1": True,  # Exchange Online refuses unknown recipients so; permanently it has no other meaning
    "4.4": True,  # the domain cannot be found
    "4.6": False,  # a loop
    "4.7": False,  # it took too long
}

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")


def find_status(text: str) -> str | None:
    """The first enhanced status code in what a mail server said, such as 5.1.1; None without one."""
    found = _CODE.search(text)
    return f"{found[1]}.{int(found[2])}.{int(found[3])}" if found else None


def address_fails(status: str | None) -> bool:
    """Whether an enhanced status code says that the address takes no mail, and will not."""
    code = find_status(status or "")
    return code is not None and code[0] == "5" and _ADDRESS_FAILS.get(code[2:], False)
