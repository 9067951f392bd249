"""The demo's QuickBooks Online: what it answers at first, and after somebody has worked on it."""

from __future__ import annotations

from dataclasses import replace

from services.demo import texts
from services.demo.customers import Profile
from services.demo.fiction import Fiction
from services.quickbooks_online.customer_query import ContactRecord, CustomerRecord
from services.quickbooks_online.record import Facts


def record(made_up: Profile, number: int, fiction: Fiction) -> CustomerRecord:
    """The customer as QuickBooks Online has it, under this number."""
    terms_id, terms = fiction.random.choice(texts.TERMS)
    facts = Facts(
        payment_terms_id=terms_id,
        payment_terms_name=terms,
        currency={"US": "USD", "GB": "GBP"}.get(made_up.country, "EUR"),
        parent_external_id=None,
        bill_with_parent=False,
        fully_qualified_name=made_up.name,
    )
    methods = [{**method, "label": None, "preferred": True} for method in made_up.methods]
    return CustomerRecord(
        external_id=str(number),
        name=made_up.name,
        kind="COMPANY" if made_up.is_company else "PERSON",
        active=True,
        methods=methods,
        website=None,
        billing_address=made_up.billing_address,
        shipping_address=None,
        facts=facts,
        contact=ContactRecord(made_up.person.first, made_up.person.last, methods),
    )


def changed(known: CustomerRecord, country: str, fiction: Fiction) -> CustomerRecord:
    """The record with a new phone number, other terms or a new address."""
    match fiction.random.randrange(3):
        case 0:
            phone = {"kind": "PHONE", "value": fiction.phone(country), "label": None, "preferred": True}
            methods = [*(method for method in known.methods if method["kind"] != "PHONE"), phone]
            person = None if known.contact is None else replace(known.contact, methods=methods)
            return replace(known, methods=methods, contact=person)
        case 1:
            terms_id, terms = fiction.random.choice(texts.TERMS)
            return replace(known, facts={**known.facts, "payment_terms_id": terms_id, "payment_terms_name": terms})
        case _:
            return replace(known, billing_address=fiction.address(country))
