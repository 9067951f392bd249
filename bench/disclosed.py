"""Events as an answer shows them, made by hand of rows and their details."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from audit.event import ACTOR_NAME, CUSTOMER_LABEL, REASON, SUBJECT_LABEL, instant, read_disclosures
from audit.history import ChangedField, Detail
from audit.sentence import change_texts, label, sentence
from bench.entrance import moment
from bench.readers import Reader

_LABELS = {
    ACTOR_NAME: "actor_name",
    SUBJECT_LABEL: "subject_label",
    CUSTOMER_LABEL: "customer_label",
    REASON: "reason",
}
_DIGESTS = ("beforeDigest", "afterDigest")


async def read_details(reader: Reader, seqs: Sequence[int]) -> dict[int, Detail]:
    """What the events with these numbers disclose: one statement, and one for the long texts that they name."""
    if not seqs:
        return {}
    disclosed = [
        (row["seq"], row["about"], name, value)
        for row in await reader.fetch(reader.statements.details, reader.array(seqs))
        for name, value in read_disclosures(row["disclosures"])
    ]
    texts = await _bodies(reader, {pair for _, about, _, value in disclosed for pair in _named(about, value)})
    found = {seq: Detail() for seq in seqs}
    for seq, about, name, value in disclosed:
        detail = found[seq]
        if name in _LABELS:
            setattr(detail, _LABELS[name], value)
        elif isinstance(value, dict) and name != "created_at":
            detail.changes.append(_changed(name, about, value, texts))
    return found


def _named(about: str, value: Any) -> list[tuple[str, str]]:
    return [(about, value[key]) for key in _DIGESTS if key in value] if isinstance(value, dict) else []


async def _bodies(reader: Reader, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not pairs:
        return {}
    arguments = (reader.array(sorted(set(some))) for some in zip(*pairs, strict=True))
    rows = await reader.fetch(reader.statements.bodies, *arguments)
    return {(row["about"], row["digest"]): row["body"] for row in rows}


def _changed(name: str, about: str, value: dict[str, Any], texts: Mapping[tuple[str, str], str]) -> ChangedField:
    if _named(about, value):
        before, after = (texts.get((about, value.get(key, ""))) for key in _DIGESTS)
        return ChangedField(name, before, after)
    return ChangedField(name, value["before"], value["after"], value.get("beforeText"), value.get("afterText"))


def event_fields(row: Mapping[str, Any], detail: Detail) -> dict[str, Any]:
    """What the root history and the History view both show of an event."""
    return {
        "seq": row["seq"],
        "at": instant(moment(row["at"])),
        "action": row["action"].upper().replace(".", "_"),
        "category": row["category"].upper().replace("-", "_"),
        "sentence": sentence(dict(row), detail),
    }


def change_fields(row: Mapping[str, Any], change: ChangedField) -> dict[str, Any]:
    """A changed field of an event, whole."""
    before_text, after_text = change_texts(row["subject_type"], change)
    return {
        "field": camel(change.name),
        "label": label(change.name),
        "before": _camel_keys(change.before),
        "after": _camel_keys(change.after),
        "beforeText": before_text,
        "afterText": after_text,
        "withheld": None,
    }


def _camel_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(name): _camel_keys(item) for name, item in value.items()}
    return [_camel_keys(item) for item in value] if isinstance(value, list) else value


def camel(name: str) -> str:
    """A column's name as the API writes it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def encode_json(value: Any) -> str:
    """A JSON column's text, as the product stores it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
