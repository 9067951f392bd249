"""Reports about what became of emails after a mail server took them: bounce messages, and what providers call us for.

Each source has a module that reads its format into Reports; `take_in` finds the deliveries and settles them, once.
"""

from __future__ import annotations

from services.communications.reports.report import HEADER, Report
from services.communications.reports.taking_in import Tally, take_in

__all__ = ["HEADER", "Report", "Tally", "take_in"]
