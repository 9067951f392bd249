"""What resolvers of the plain schema find in `info.context`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader

from audit.history import Detail
from bench.entrance import Visitor
from bench.readers import Reader

Row = Mapping[str, Any]


@dataclass
class Context:
    """What resolvers find in `info.context`."""

    reader: Reader
    viewer: Visitor | None
    roles: DataLoader[str, Row | None]
    customers: DataLoader[str, Row | None]
    contacts: DataLoader[str, list[Row]]
    details: DataLoader[int, Detail]


Info = strawberry.Info[Context, None]
