"""The demo: an office that has worked with Counterfoil for two months, told through the recorder. All of it is made up.

Emails end in example.com and phone numbers are from ranges kept for fiction, so that nobody is reached by accident.
"""

from __future__ import annotations

from services.demo.filling import CUSTOMERS, NotEmpty, fill

__all__ = ["CUSTOMERS", "NotEmpty", "fill"]
