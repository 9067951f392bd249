"""Events as an answer shows them, made by hand of rows and their details."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audit.event import ACTOR_NAME, CUSTOMER_LABEL, REASON, SUBJECT_LABEL, instant, read_disclosures
from audit.history import ChangedField, Detail
from audit.sentence import label, sentence, value_text
from bench.entrance import moment
from bench.readers import Rows

_LABELS = {
    ACTOR_NAME: "actor_name",
    SUBJECT_LABEL: "subject_label",
    CUSTOMER_LABEL: "customer_label",
    REASON: "reason",
}


def read_details(rows: Rows) -> dict[int, Detail]:
    """What event_detail rows disclose, by `seq`."""
    found: dict[int, Detail] = {}
    for row in rows:
        detail = found.setdefault(row["seq"], Detail())
        for name, value in read_disclosures(row["disclosures"]):
            if name in _LABELS:
                setattr(detail, _LABELS[name], value)
            elif isinstance(value, dict) and name != "created_at":
                texts = value.get("beforeText"), value.get("afterText")
                detail.changes.append(ChangedField(name, value["before"], value["after"], *texts))
    return found


def event_fields(row: Mapping[str, Any], detail: Detail) -> dict[str, Any]:
    """What the root history and the History view both show of an event."""
    return {
        "seq": row["seq"],
        "at": instant(moment(row["at"])),
        "action": row["action"].upper().replace(".", "_"),
        "category": row["category"].upper().replace("-", "_"),
        "sentence": sentence(dict(row), detail),
    }


def change_fields(change: ChangedField) -> dict[str, Any]:
    """A changed field, whole."""
    return {
        "field": camel(change.name),
        "label": label(change.name),
        "before": change.before,
        "after": change.after,
        "beforeText": value_text(change.before, change.before_text),
        "afterText": value_text(change.after, change.after_text),
        "withheld": None,
    }


def camel(name: str) -> str:
    """A column's name as the API writes it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def encode_json(value: Any) -> str:
    """A JSON column's text, as the product stores it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
