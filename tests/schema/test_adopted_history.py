"""History stays readable whatever somebody forced into the database."""

from __future__ import annotations

import pytest

import models
from audit.drift import adopt, drift
from tests.audit.intruder import literal, unguarded
from tests.client import Client

pytestmark = pytest.mark.anyio

READ = (
    "{ history(first: 2) { edges { node { action actor { kind name } sentence subject { id label node { id } } } } } }"
)


async def test_an_event_about_an_id_of_any_form_can_be_read(
    client: Client, database: models.Database, database_url: str
) -> None:
    columns = {"name": "Ghost", "name_key": "ghost", "well_known": None, "designated_by": "USER", "revision": 1}
    flags = {"invoice_presentment": True, "communication": False, "created_at": "2026-01-31T09:30:00.000000+00:00"}
    async with unguarded(database_url) as run:
        for identifier in ("forced", "rol_neverwasanid"):
            unique = {"id": identifier, "name_key": f"ghost {identifier}", "name": f"Ghost {identifier}"}
            row = {**columns, **flags, **unique}
            names, values = ", ".join(row), ", ".join(map(literal, row.values()))
            await run(f"INSERT INTO contact_role ({names}) VALUES ({values})")
    await adopt(database, await drift(database))
    data = await client.run(READ)
    assert client.errors == []
    for edge, identifier in zip(data["history"]["edges"], ("rol_neverwasanid", "forced"), strict=True):
        assert edge["node"] == {
            "action": "CONTACT_ROLE_CREATED",
            "actor": {"kind": "DATABASE", "name": "Direct database access"},
            "sentence": f"Somebody added contact role Ghost {identifier} past the product.",
            "subject": {"id": identifier, "label": f"Ghost {identifier}", "node": None},
        }
