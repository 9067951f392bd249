"""What someone is reached by: email addresses, phone numbers, links."""

from __future__ import annotations

import unicodedata
from typing import Annotated

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from pydantic import HttpUrl, TypeAdapter, UrlConstraints, ValidationError

from models.fault import Fault
from services.values.text import Field, line

LONGEST_EMAIL = 254
LONGEST_URL = 2_000

_URL: TypeAdapter[HttpUrl] = TypeAdapter(Annotated[HttpUrl, UrlConstraints(preserve_empty_path=True)])
_PHONE_ADVICE = "Write a phone number with its country code, such as +1 415 555 0101 or +44 20 7946 0958 ext. 12."
_URL_ADVICE = "Write a web address that begins with https:// or http://, such as https://www.example.com."


def email(value: str, field: Field) -> str:
    """The normal form of an email address (RFC 5321, RFC 6531): domain in lower case, international text kept.

    Nothing is looked up. Domains that no mail can reach (`.test`, `.invalid`, `.local`, `localhost`, address
    literals) are refused; `example.com` and its sisters pass, being ordinary registered names.
    """
    text = line(value, field, longest=1_000)
    try:
        normal = validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Fault.invalid(f"Write an email address such as name@example.com. {error}", *field) from None
    if len(normal) > LONGEST_EMAIL:
        raise Fault.invalid(f"Shorten this email address to at most {LONGEST_EMAIL} characters.", *field)
    return normal


def phone(value: str, field: Field, *, country: str = "US") -> str:
    """E.164, with an extension as RFC 3966 writes it: `+14155550101` or `+14155550101;ext=12`.

    `country` (alpha-2) is assumed when no country code is written. A number passes when its length is that of a
    complete number of its country: fictional numbers and ranges newer than our tables pass, local ones do not.
    """
    # Address books wrap numbers in directional marks; in a number they mean nothing.
    shown = "".join(character for character in value if unicodedata.category(character) != "Cf")
    text = line(shown, field, longest=100)
    try:
        number = phonenumbers.parse(text, country.upper())
    except NumberParseException:
        raise Fault.invalid(_PHONE_ADVICE, *field) from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise Fault.invalid(_PHONE_ADVICE, *field)
    stored = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if phonenumbers.format_number(phonenumbers.parse(stored), PhoneNumberFormat.E164) != stored:
        # Too many zeros: written so, it would be read as another number.
        raise Fault.invalid(_PHONE_ADVICE, *field)
    return f"{stored};ext={number.extension}" if number.extension else stored


def url(value: str, field: Field) -> str:
    """A web address (http or https) of at most 2,000 characters, as the WHATWG URL standard serialises it.

    International hosts become ASCII (IDNA). Without a scheme `https://` is put in front, provided that the rest looks
    like a host name. An empty path stays empty.
    """
    text = line(value, field, longest=LONGEST_URL)
    has_scheme = "://" in text
    try:
        parsed = _URL.validate_python(text if has_scheme else f"https://{text}")
    except ValidationError:
        raise Fault.invalid(_URL_ADVICE, *field) from None
    if parsed.username is not None or parsed.password is not None:
        raise Fault.invalid("Remove the user name and the password from this web address.", *field)
    labels = (parsed.host or "").removesuffix(".").split(".")
    # Without a scheme a single word ("none", "n/a") is a remark, not an address.
    if "" in labels or (len(labels) == 1 and not has_scheme):
        raise Fault.invalid(_URL_ADVICE, *field)
    stored = str(parsed)
    if len(stored) > LONGEST_URL:
        raise Fault.invalid(f"Shorten this web address to at most {LONGEST_URL:,} characters.", *field)
    return stored
