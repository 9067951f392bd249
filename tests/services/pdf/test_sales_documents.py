"""Invoices, orders and quotes on paper: what a reader finds on the pages."""

from __future__ import annotations

from typing import Any

import pytest
import typst

from services import pdf
from services.pdf import sales_documents
from services.pdf.compiling import compile_now
from tests.services.pdf.pages import Pdf, opened
from tests.services.pdf.rows import AUSTIN, PARIS, customer, document, payment, settings

pytestmark = pytest.mark.anyio

A4, LETTER = (595, 842), (612, 792)
# What would be code, markup, a label or a comment, were it read as Typst.
CODE = '#import "x" #panic() $a^2$ *bold* _b_ @ref ] [ } { \\ <label> = == // /* `raw` ~ -- \' " #sys.inputs'


async def made(*payments: Any, **fields: Any) -> Pdf:
    return opened(await pdf.invoice(settings(), customer(), document(**fields), payments))


async def test_an_invoice_says_who_owes_what_to_whom_and_how_to_pay() -> None:
    row = document(balance=103_450)
    page = opened(await pdf.invoice(settings(), customer(), row, [payment()], {"name": "Bakery North"}))
    for expected in (
        "Northwind Supplies GmbH Torstraße 1 10119 Berlin Germany billing@northwind.example +49301234567",
        "Tax ID DE123456789",
        "Bill to Lakeside Bakery 12 rue Cler Étage 3 75007 Paris France",
        "Date 20 May 2026 Due 20 June 2026 Location Bakery North",
        "Description Amount in EUR Invoice 1007 1,234.50",
        "Payment on 5 June 2026 by check, 4711 \u2212200.00 Balance due EUR 1,034.50",
        "How to pay Transfer to IBAN DE02 1203 0000 0000 2020 51 BIC BYLADEM1001 Name the invoice.",
        "Page 1 of 1",
    ):
        assert expected in page.text
    assert (page.title, page.author, page.created) == ("Invoice 1007", "Northwind Supplies GmbH", "D:20260520000000Z")
    assert (page.language, page.tagged, page.size, page.outside) == ("en", True, A4, [])


async def test_each_status_says_what_it_means() -> None:
    paid = [payment(amount=123_450, received_on="2026-06-12", reference=None, method="TRANSFER")]
    for fields, payments, said, total, pays in (
        ({"status": "DRAFT"}, [], "Draft. This invoice is not final", "Total EUR 1,234.50", False),
        ({"status": "VOID", "balance": 0}, [], "Void. This invoice does not count", "Total EUR 1,234.50", False),
        ({"status": "PAID", "balance": 0}, paid, "Paid in full on 12 June 2026.", "Balance due EUR 0.00", False),
        ({"kind": "QUOTE", "status": "RELEASED", "balance": 0}, [], "Quote 1007", "Total EUR 1,234.50", False),
        ({"kind": "ORDER", "status": "RELEASED"}, [], "Order 1007", "Balance due EUR 1,234.50", True),
        ({"amount": 1500, "balance": 1500, "currency": "JPY"}, [], "Amount in JPY", "Balance due JPY 1,500", True),
    ):
        page = await made(*payments, **fields)
        assert said in page.text, fields
        assert total in page.text, fields
        assert ("How to pay" in page.text) is pays, fields
        assert page.outside == []


async def test_without_a_company_and_an_address_there_is_still_an_invoice() -> None:
    row = document(due_on=None)
    page = opened(await pdf.invoice({"company": None}, customer(billing_address=None), row, []))
    assert page.text.startswith("Bill to Lakeside Bakery Date 20 May 2026 Invoice 1007")
    assert (page.author, page.size) == ("", A4)


async def test_paper_is_that_of_the_reader() -> None:
    for billing, home, size in (
        (AUSTIN, "DE", LETTER),
        (PARIS, "US", A4),
        (None, "US", LETTER),
        (None, "DE", A4),
        (AUSTIN, None, LETTER),
    ):
        company = settings(address={**AUSTIN, "country": home} if home else None)
        page = opened(await pdf.invoice(company, customer(billing_address=billing), document(), []))
        assert page.size == size
    abroad = opened(await pdf.invoice(settings(), customer(billing_address=AUSTIN), document(), []))
    assert "Bill to Lakeside Bakery 1 Main St Austin, TX 78701 United States" in abroad.text


async def test_equal_rows_make_equal_bytes_and_others_do_not() -> None:
    first, again, other = [
        await pdf.invoice(settings(), customer(), document(amount=amount), [payment()]) for amount in (1000, 1000, 1001)
    ]
    assert first == again != other


@pytest.mark.parametrize("code", [CODE, '"; #panic("x")', "${jndi}", '\\u{1F}"}]', "*", "#"])
async def test_what_looks_like_code_is_only_shown(code: str) -> None:
    address = {"lines": [code], "city": code, "region": code, "postal_code": code, "country": "FR"}
    row = document(number=1, balance=100)
    page = opened(
        await pdf.invoice(
            settings(name=code, email=code, payment_instructions=f"{code}\n\n{code}"),
            customer(name=code, billing_address=address),
            {**row, "number": code},
            [payment(1, reference=code)],
            {"name": code},
        )
    )
    # The foot of a page is cut: there is room for one, at the beginning.
    assert page.letters.count("".join(code.split())) >= 12
    assert (page.title, page.author) == (f"Invoice {code}", code)
    assert page.outside == []


async def test_words_without_an_end_stay_on_the_page_and_whole() -> None:
    wide = "W" * 500
    address = {"lines": ["M" * 200] * 5, "city": "C" * 100, "region": None, "postal_code": "1" * 30, "country": "US"}
    row = {**document(amount=10**15 - 1, balance=10**15 - 1), "number": "9" * 50}
    page = opened(
        await pdf.invoice(
            settings(name="N" * 200, email="e" * 250, payment_instructions="I" * 3000),
            customer(name=wide, billing_address=address),
            row,
            [payment(reference="R" * 100)],
            {"name": "L" * 200},
        )
    )
    assert page.outside == []
    assert len(page.pages) < 6
    for word in (wide, "M" * 200, "L" * 200, "R" * 100, "EUR9,999,999,999,999.99"):
        assert word in page.letters


async def test_scripts_of_many_directions() -> None:
    name = "Αθήνα Привет שלום Łódź Tiếng Việt ₹ ₽ €"
    page = opened(await pdf.invoice(settings(), customer(name=name), document(), []))
    for word in ("Αθήνα", "Привет", "Łódź", "Tiếng Việt", "₹ ₽ €"):
        assert word in page.text
    # The reader of the tests puts right-to-left words in the order of the page.
    assert "שלום" in page.text or "םולש" in page.text


def test_characters_without_a_font_are_boxes_and_the_rest_can_be_read() -> None:
    fonts = typst.Fonts(include_system_fonts=False)
    row = document()
    data = sales_documents.data(settings(), customer(name="日本通運 😀 Tokyo branch"), row, [])
    page = opened(compile_now(sales_documents.LAYOUT, data, sales_documents.day(row), fonts))
    for word in ("Tokyo branch", "12 rue Cler", "Balance due EUR 1,234.50"):
        assert word in page.text
    assert (page.language, page.tagged, page.outside) == ("en", True, [])


async def test_many_payments_are_added_up() -> None:
    payments = [{**payment(amount=100), "id": f"pay_{number:04}"} for number in range(700)]
    page = await made(*payments)
    assert "200 earlier payments \u2212200.00" in page.text
    assert page.text.count("Payment on 5 June 2026") == 500
    with_rows = [text for text in page.pages if "Payment on" in text]
    assert page.text.count("Description Amount in EUR") == len(with_rows) > 10


def test_a_layout_that_is_wrong_raises() -> None:
    with pytest.raises(typst.TypstError):
        compile_now(sales_documents.LAYOUT, {}, sales_documents.day(document()))
