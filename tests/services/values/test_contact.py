"""Email addresses, phone numbers and web addresses as people write them, and as they are stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.provisional import urls

from models.fault import ErrorCode, Fault
from services import values

FIELD = ("input", "methods", 0, "value")
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" Jane.Doe@EXAMPLE.com ", "Jane.Doe@example.com"),
        ("billing+eu@example.co.uk", "billing+eu@example.co.uk"),
        ("jörg@müller.example.org", "jörg@müller.example.org"),
        ("用户@例え.jp", "用户@例え.jp"),
        ("a@xn--mller-kva.de", "a@müller.de"),
    ],
)
def test_an_email_address_is_stored_in_its_normal_form(written: str, stored: str) -> None:
    assert values.email(written, FIELD) == stored


@pytest.mark.parametrize(
    "written",
    [
        *("", "jane", "jane@", "@example.com", "a b@example.com", "a@b@example.com", "Jane <jane@example.com>"),
        *("a@example.test", "a@office.local", "a@example.invalid", "root@localhost", "a@[192.0.2.1]", "a@b..com"),
        *("a@example.com, b@example.com", "a\x00@example.com", "\ud800@example.com", "a" * 250 + "@example.com"),
    ],
)
def test_what_no_mail_can_reach_is_not_an_email_address(written: str) -> None:
    with pytest.raises(Fault) as caught:
        values.email(written, FIELD)
    assert caught.value.code is ErrorCode.INVALID
    assert caught.value.field == FIELD


@pytest.mark.parametrize(
    ("written", "country", "stored"),
    [
        ("(415) 555-0101", "US", "+14155550101"),
        ("(555) 555-0100", "US", "+15555550100"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("0043 1 5550101", "AT", "+4315550101"),
        ("+39 06 555 0101", "US", "+39065550101"),
        ("415.555.0101 x12", "US", "+14155550101;ext=12"),
        ("415-555-0101 ext. 007", "US", "+14155550101;ext=007"),
        ("tel:+1-415-555-0101;ext=12", "US", "+14155550101;ext=12"),
        ("\u202a+1 (415) 555-0101\u202c", "US", "+14155550101"),
        ("+1 415 555 0101", "AQ", "+14155550101"),
    ],
)
def test_a_phone_number_is_stored_as_e164_with_its_extension(written: str, country: str, stored: str) -> None:
    assert values.phone(written, FIELD, country=country) == stored


@pytest.mark.parametrize(
    "written", ["", "call Bob", "911", "555-0100", "+1 234", "020 7946 0958", "+999 1234567", "1" * 40, "\ud800", "+"]
)
def test_an_incomplete_phone_number_is_refused_with_advice_to_write_the_country_code(written: str) -> None:
    with pytest.raises(Fault) as caught:
        values.phone(written, FIELD)
    assert caught.value.field == FIELD
    assert written.strip("+\ud800") == "" or "country code" in caught.value.message


def test_a_national_number_needs_a_country_that_has_numbers() -> None:
    with pytest.raises(Fault, match="country code"):
        values.phone("415 555 0101", FIELD, country="AQ")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("www.example.com", "https://www.example.com"),
        ("example.com:8443/a b", "https://example.com:8443/a%20b"),
        ("HTTP://Example.COM/Shop?q=1#top", "http://example.com/Shop?q=1#top"),
        ("https://example.com/", "https://example.com/"),
        ("https://müller.example", "https://xn--mller-kva.example"),
        ("http://intranet/wiki", "http://intranet/wiki"),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]/"),
    ],
)
def test_a_web_address_is_stored_with_its_scheme(written: str, stored: str) -> None:
    assert values.url(written, FIELD) == stored


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "none",
            "n/a",
            "not a link",
            "ftp://example.com",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
        ),
        *(
            "https://jane:secret@example.com",
            "jane@example.com",
            "https://",
            "https://a..b",
            "http:/example",
            "\ud800.com",
        ),
        *("file:///etc/passwd", "https://example.com/" + "é" * 1_000, "https://example.com/" + "x" * 2_000),
    ],
)
def test_what_a_browser_should_not_follow_is_not_a_web_address(written: str) -> None:
    with pytest.raises(Fault) as caught:
        values.url(written, FIELD)
    assert caught.value.field == FIELD


@pytest.mark.parametrize(
    ("clean", "likely"),
    [
        (values.email, st.emails()),
        (values.phone, st.text("0123456789+-() .;ext=/x#*", max_size=30)),
        (values.url, urls() | st.text("abc.:/@%?#[]é\\ ", max_size=30)),
    ],
    ids=["email", "phone", "url"],
)
@given(data=st.data())
def test_cleaning_twice_is_cleaning_once_and_nothing_but_a_fault_comes_out(
    clean: Callable[..., str], likely: st.SearchStrategy[str], data: st.DataObject
) -> None:
    written = data.draw(likely | ANY_TEXT)
    try:
        stored = clean(written, FIELD)
    except Fault as fault:
        at = fault.field
    else:
        assert clean(stored, FIELD) == stored
        return
    assert at == FIELD


@given(
    digits=st.text("0123456789", min_size=4, max_size=14),
    country=st.sampled_from(["US", "GB", "DE", "IT", "AR", "BR", "JP"]),
)
@example(digits="0655501010", country="IT")
@example(digits="00000000000", country="GB")
def test_a_stored_phone_number_means_the_same_in_every_country(digits: str, country: str) -> None:
    try:
        stored = values.phone(digits, FIELD, country=country)
    except Fault:
        return
    assert values.phone(stored, FIELD, country="US") == stored
