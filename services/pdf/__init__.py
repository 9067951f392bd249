"""PDFs of sales documents and statements, made when somebody asks for them and never stored here.

What they are made with, and what happens to characters without a font, is in docs/decisions/0023.
"""

from __future__ import annotations

from services.pdf.compiling import MEDIA_TYPE, TooManyWaiting
from services.pdf.making import (
    File,
    invoice,
    name_of_sales_document,
    name_of_statement,
    of_sales_document,
    of_statement,
    statement,
)

__all__ = [
    "MEDIA_TYPE",
    "File",
    "TooManyWaiting",
    "invoice",
    "name_of_sales_document",
    "name_of_statement",
    "of_sales_document",
    "of_statement",
    "statement",
]
