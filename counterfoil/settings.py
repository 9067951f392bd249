"""Settings: read once from the environment, then handed down as values. docs/settings.md lists them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from counterfoil import smtp_url
from models import Database, Fault, connect
from models.engine.url import sqlite_path
from services import values
from services.communications.reports import postmark, sendgrid
from services.communications.reports.postmark import Postmark
from services.communications.reports.provider import Provider
from services.communications.reports.sendgrid import SendGrid
from services.communications.reports.ses import Ses
from services.communications.reports.sns import TOPIC
from services.documents import Storage
from services.mail import Mail, Smtp, header

PREFIX = "COUNTERFOIL_"

Texts = Annotated[tuple[str, ...], NoDecode]


class BadSettings(ValueError):
    """Settings that cannot be used; the message names the variables and quotes no values, which may be secret."""


class Settings(BaseSettings):
    """How this process runs. The variables are COUNTERFOIL_ and the name in capitals, and DATABASE_URL."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_default=False,
    )

    database_url: str = Field("sqlite:///counterfoil.db", validation_alias="DATABASE_URL", repr=False)
    sqlite_readers: int = Field(3, ge=1, le=64)
    postgres_connections: int = Field(10, ge=2, le=1000)
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=256)
    trusted_proxies: Texts = ()
    cors_origins: Texts = ()
    max_body: int = Field(1024 * 1024, ge=1024)
    documents_url: str | None = Field(None, validation_alias="DOCUMENTS_URL", repr=False)
    documents_allow_http: bool = False
    max_upload: int = Field(256 * 1024 * 1024, ge=1, lt=2**31)
    document_quota: int = Field(2 * 1024 * 1024 * 1024, ge=1, lt=2**53)
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
    background: bool = True
    graphiql: bool = True
    introspection: bool = True
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("cors_origins", "trusted_proxies", "ses_topics", mode="before")
    @classmethod
    def _parts(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        connect(value)
        urlsplit(value)
        return value

    @field_validator("documents_url")
    @classmethod
    def _known_storage(cls, value: str | None) -> str | None:
        if value is not None:
            Storage(value, max_upload=1, quota=1)
        return value

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

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_address(part)) for part in value)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or urlunsplit(parts[:2] + ("",) * 3) != origin:
                raise ValueError("Write origins such as https://desk.example.com, parted by commas, without paths.")
        return value

    def database(self, *, serves: bool = True) -> Database:
        """The database, not started yet. On SQLite, only the process that `serves` it checkpoints while it runs."""
        return connect(
            self.database_url,
            readers=self.sqlite_readers,
            connections=self.postgres_connections,
            checkpoints=serves,
        )

    def storage(self) -> Storage:
        """Where documents' bytes are; opened when it is first used."""
        url = self.documents_url or self._beside("documents").as_uri()
        return Storage(url, max_upload=self.max_upload, quota=self.document_quota, allow_http=self.documents_allow_http)

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

    def mail(self) -> Mail:
        """How mail leaves. Without a mail server links lead to this machine: nobody else reads them."""
        portal_url = self.portal_url
        if portal_url is None and self.smtp_url is None:
            portal_url = f"http://127.0.0.1:{self.port}/portal"
        return Mail(
            sender=self.mail_sender or Mail.sender,
            smtp=self._smtp(),
            maildir=(self.maildir or self._beside("mail")).absolute(),
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

    def _beside(self, what: str) -> Path:
        """A folder beside the SQLite file, or where the process starts."""
        file = sqlite_path(self.database_url).resolve() if self.on_sqlite else Path("counterfoil.db").resolve()
        return file.with_name(f"{file.stem}-{what}")

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.database_url.startswith("sqlite:")

    @property
    def shown_database_url(self) -> str:
        """The database's URL without password and options, to be shown to people."""
        parts = urlsplit(self.database_url)
        user, at, host = parts.netloc.rpartition("@")
        return f"{parts.scheme}://{user.partition(':')[0]}{at}{host}{parts.path}"


def variable(name: str) -> str:
    """The environment variable of the setting `name`."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else PREFIX + name.upper()


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none: misspelt ones, perhaps."""
    known = {variable(name) for name in Settings.model_fields}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def read_settings(**given: Any) -> Settings:
    """The settings of this process's environment; those `given` (by field name, not None) go first. BadSettings."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadSettings("; ".join(_told(problem) for problem in error.errors())) from None


def _told(problem: Any) -> str:
    told = problem.get("ctx", {}).get("error") or problem["msg"]
    if not problem["loc"]:
        return str(told)  # about several, which it names
    name = str(problem["loc"][0])
    return f"{variable(name) if name in Settings.model_fields else name}: {told}"
