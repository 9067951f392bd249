"""Documents: their bytes in a storage of their own, their rows and events in the database, never one without the other.

Why they cannot part is in docs/decisions/0012.
"""

from __future__ import annotations

from services.documents.incoming import Incoming
from services.documents.storage import Storage, bind, current

__all__ = ["Incoming", "Storage", "bind", "current"]
