"""How large the databases of a run are, and how long it measures."""

from __future__ import annotations

from dataclasses import dataclass

CONTACTS_PER_CUSTOMER = 5


@dataclass(frozen=True)
class Scale:
    """`customers` of the main database; `short` and `long` are the events of the two histories that are compared.

    Both histories have as many events for each customer, so that only their length differs. `rounds` of `seconds`
    are measured for each variant, after `warmup` seconds that are not. In each, a worker delivers `messages` emails.
    """

    name: str
    customers: int
    short: int
    long: int
    rounds: int
    seconds: float
    warmup: float
    messages: int

    @property
    def short_customers(self) -> int:
        """How many customers the short history is about."""
        return self.customers * self.short // self.long


FULL = Scale("full", customers=10_000, short=10_000, long=1_000_000, rounds=3, seconds=1.5, warmup=0.4, messages=3_000)
QUICK = Scale("quick", customers=400, short=2_000, long=40_000, rounds=2, seconds=0.5, warmup=0.2, messages=500)
