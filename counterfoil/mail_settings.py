"""The settings that are about mail: how it leaves, and who reports what became of it. docs/settings.md lists them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from counterfoil import smtp_url
from models import Fault
from services import values
from services.communications.reports import postmark, sendgrid
from services.communications.reports.postmark import Postmark
from services.communications.reports.provider import Provider
from services.communications.reports.sendgrid import SendGrid
from services.communications.reports.ses import Ses
from services.communications.reports.sns import TOPIC
from services.mail import Mail, Smtp, header

PREFIX = "COUNTERFOIL_"

Texts = Annotated[tuple[str, ...], NoDecode]


def parted(value: Any) -> Any:
    """The parts of a text that commas part; whatever else it is as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class MailSettings(BaseSettings):
    """How this process sends mail, and whose reports it takes."""

    ses_topics: Texts = ()
    sendgrid_key: str | None = None
    postmark_secret: str | None = Field(None, min_length=16, repr=False)
    smtp_url: str | None = Field(None, repr=False)
    smtp_starttls: Literal["required", "offered", "off"] | None = None
    smtp_ca_file: Path | None = None
    smtp_timeout: float = Field(30, gt=0, le=300)
    smtp_connections: int = Field(4, ge=1, le=64)
    smtp_dsn: bool = True
    mail_sender: str | None = None
    maildir: Path | None = None
    mail_batch: int = Field(50, ge=1, le=500)
    mail_lease: float = Field(600, ge=1, le=86400)
    mail_poll: float = Field(5, gt=0, le=3600)
    portal_url: str | None = None

    @field_validator("ses_topics", mode="before")
    @classmethod
    def _parted_topics(cls, value: Any) -> Any:
        return parted(value)

    @field_validator("ses_topics")
    @classmethod
    def _topics(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(TOPIC.fullmatch(topic) for topic in value):
            raise ValueError("Write ARNs of SNS topics, parted by commas: arn:aws:sns:us-east-1:123456789012:bounces.")
        return value

    @field_validator("sendgrid_key")
    @classmethod
    def _key(cls, value: str | None) -> str | None:
        if value is not None:
            SendGrid(value)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_server(cls, value: str | None) -> str | None:
        if value is not None:
            smtp_url.read(value)
        return value

    @field_validator("smtp_starttls")
    @classmethod
    def _encrypted(cls, value: str | None, info: ValidationInfo) -> str | None:
        url = info.data.get("smtp_url")
        if url is not None:
            smtp_url.encryption(smtp_url.read(url), value)
        return value

    @field_validator("smtp_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                ssl.create_default_context(cafile=value)
            except OSError as error:  # ssl.SSLError is one
                raise ValueError("Name a file of certificates in PEM format that can be read.") from error
        return value

    @field_validator("mail_sender")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            sent = header.wire(values.email(value, ("mail_sender",)))
        except (Fault, header.NoAddress):
            raise ValueError("Write an email address such as accounts@example.com.") from None
        if not sent.isascii():
            raise ValueError("Write an address with plain letters before the @: not every mail server takes others.")
        return sent

    @field_validator("portal_url")
    @classmethod
    def _begins_links(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("Write where the portal begins, such as https://portal.example.com.")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.smtp_url is not None and self.mail_sender is None:
            raise ValueError(f"{PREFIX}SMTP_URL needs {PREFIX}MAIL_SENDER, the address that mail comes from.")
        if self.smtp_timeout > self.mail_lease / 2:
            raise ValueError(f"{PREFIX}MAIL_LEASE must be at least twice {PREFIX}SMTP_TIMEOUT.")
        return self

    def providers(self) -> dict[str, Provider]:
        """The providers of mail whose reports are taken, by their part of the address."""
        found: dict[str, Provider] = {}
        if self.ses_topics:
            found["ses"] = Ses(self.ses_topics)
        if self.sendgrid_key is not None:
            found["sendgrid"] = SendGrid(self.sendgrid_key)
        if self.postmark_secret is not None:
            found["postmark"] = Postmark(self.postmark_secret)
        return found

    def mail_from(self, *, here: str, folder: Path) -> Mail:
        """How mail leaves. Without a mail server it stays in a folder, which is this `folder` unless the settings name
        one, and links lead to the portal `here` unless they say where: nobody else reads them.
        """
        portal_url = here if self.portal_url is None and self.smtp_url is None else self.portal_url
        return Mail(
            sender=self.mail_sender or Mail.sender,
            smtp=self._smtp(),
            maildir=(self.maildir or folder).absolute(),
            portal_url=portal_url,
            headers=self._headers(),
            batch=self.mail_batch,
            lease=self.mail_lease,
            poll=self.mail_poll,
        )

    def _headers(self) -> list[Callable[[str], Mapping[str, str]]]:
        makers = {sendgrid.headers: self.sendgrid_key, postmark.headers: self.postmark_secret}
        return [make for make, setting in makers.items() if setting is not None]

    def _smtp(self) -> Smtp | None:
        if self.smtp_url is None:
            return None
        server = smtp_url.read(self.smtp_url)
        return Smtp(
            server.host,
            server.port,
            smtp_url.encryption(server, self.smtp_starttls),
            server.user,
            server.password,
            self.smtp_ca_file,
            self.smtp_timeout,
            self.smtp_connections,
            self.smtp_dsn,
        )
