"""The preferences in a profile: what the customer says, what holds for all, and which of them is in effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from bench.floor.parts import by_id
from bench.readers import Reader
from models import clock

_WORKFLOWS = ("reminder_workflow_id", "global_reminder_workflow_id")


async def preferences(reader: Reader, customer_id: str) -> dict[str, Any]:
    """All preferences of a customer."""
    [row] = await by_id(reader, reader.statements.preferences, [customer_id])
    ids = list(dict.fromkeys(row[name] for name in _WORKFLOWS if row[name] is not None))
    workflows = {
        found["id"]: {"id": found["id"], "name": found["name"]}
        for found in await by_id(reader, reader.statements.workflows, ids)
    }
    own, everywhere = ({"workflow": workflows.get(row[name])} for name in _WORKFLOWS)
    overridden = row["reminder_workflow_id"] is not None or row["reminders"] is not None
    return {
        "reminders": _inherited(own if overridden else None, everywhere),
        "monthlyStatement": _read(row, "monthly_statement", bool),
        "onlinePayments": _read(row, "online_payments", _online_payments),
        "customerPortal": _read(row, "customer_portal", bool),
        "card": _read(row, "card", partial(_rated, "surcharge")),
        "ach": _read(row, "ach", partial(_rated, "discount")),
        "contactPolicy": _read(row, "contact_policy", str),
    }


def _read(row: Mapping[str, Any], name: str, shown: Callable[[Any], Any]) -> dict[str, Any]:
    own = None if row[name] is None else shown(row[name])
    return _inherited(own, shown(row[f"global_{name}"]))


def _inherited(own: Any, everywhere: Any) -> dict[str, Any]:
    effective, source = (everywhere, "GLOBAL") if own is None else (own, "CUSTOMER")
    return {"own": own, "global": everywhere, "effective": effective, "source": source}


def _online_payments(stored: str) -> dict[str, Any]:
    value = orjson.loads(stored)
    until = value["disabled_until"]
    over = until is not None and clock.now().date().isoformat() >= until
    return {"enabled": value["enabled"], "disabledUntil": until, "available": value["enabled"] or over}


def _rated(rate: str, stored: str) -> dict[str, Any]:
    value = orjson.loads(stored)
    points = value[f"{rate}_basis_points"]
    return {"enabled": value["enabled"], rate: f"{points // 100}.{points % 100:02d}"}
