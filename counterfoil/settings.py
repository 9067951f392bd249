"""Settings: read once from the environment, then handed down as values. docs/settings.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from counterfoil.door.address import Network, network_of
from counterfoil.door.origin import as_browsers_send_it
from counterfoil.mail_settings import PREFIX, MailSettings, Texts, parted
from models import Database, connect
from models.engine.url import sqlite_path
from schema.limits import Limits
from services.documents import Storage
from services.mail import Mail

LIMITS = Limits()


class BadSettings(ValueError):
    """Settings that cannot be used; the message names the variables and quotes no values, which may be secret."""


class Settings(MailSettings):
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
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    cors_origins: Texts = ()
    max_body: int = Field(1024 * 1024, ge=1024)
    body_timeout: float = Field(30, gt=0, le=3600)
    max_url: int = Field(16 * 1024, ge=1024)
    max_headers: int = Field(16 * 1024, ge=1024)
    header_timeout: int = Field(10, ge=1, le=3600)
    execution_timeout: float = Field(30, gt=0, le=3600)
    max_operations: int = Field(32, ge=1)
    max_sockets: int = Field(100, ge=1)
    max_refusals: float = Field(20, gt=0)
    max_document: int = Field(LIMITS.length, ge=1)
    max_tokens: int = Field(LIMITS.tokens, ge=1)
    max_definitions: int = Field(LIMITS.operations, ge=1)
    max_variables: int = Field(LIMITS.variables, ge=0)
    max_depth: int = Field(LIMITS.depth, ge=1, le=100)
    max_aliases: int = Field(LIMITS.aliases, ge=0)
    max_fields: int = Field(LIMITS.fields, ge=1)
    max_repeats: int = Field(LIMITS.repeats, ge=0)
    max_directives: int = Field(LIMITS.directives, ge=0)
    max_nodes: int = Field(LIMITS.nodes, ge=1)
    trusted_documents: Path | None = None
    only_trusted_documents: bool = False
    documents_url: str | None = Field(None, validation_alias="DOCUMENTS_URL", repr=False)
    documents_allow_http: bool = False
    max_upload: int = Field(256 * 1024 * 1024, ge=1, lt=2**31)
    upload_timeout: float = Field(600, gt=0, le=24 * 3600)
    document_quota: int = Field(2 * 1024 * 1024 * 1024, ge=1, lt=2**53)
    background: bool = True
    https: bool = False
    graphiql: bool = True
    introspection: bool = True
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _parts(cls, value: Any) -> Any:
        return parted(value)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        try:
            return tuple(network_of(part) if isinstance(part, str) else part for part in parted(value))
        except ValueError:
            told = "Write each IPv4 or IPv6 address or network, such as 10.0.0.0/8, parted by commas."
            raise ValueError(told) from None

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

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(as_browsers_send_it, value))

    @model_validator(mode="after")
    def _has_documents_to_trust(self) -> Self:
        if self.only_trusted_documents and self.trusted_documents is None:
            needing, needed = variable("only_trusted_documents"), variable("trusted_documents")
            raise ValueError(f"{needing} needs {needed}: without a folder every request would be refused.")
        return self

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

    def mail(self) -> Mail:
        """How mail leaves. Without a mail server links lead to this machine: nobody else reads them."""
        return self.mail_from(here=f"http://127.0.0.1:{self.port}/portal", folder=self._beside("mail"))

    def _beside(self, what: str) -> Path:
        """A folder beside the SQLite file, or where the process starts."""
        file = sqlite_path(self.database_url).resolve() if self.on_sqlite else Path("counterfoil.db").resolve()
        return file.with_name(f"{file.stem}-{what}")

    def limits(self) -> Limits:
        """How large a GraphQL document may be."""
        return Limits(
            length=self.max_document,
            tokens=self.max_tokens,
            operations=self.max_definitions,
            variables=self.max_variables,
            depth=self.max_depth,
            aliases=self.max_aliases,
            fields=self.max_fields,
            directives=self.max_directives,
            repeats=self.max_repeats,
            nodes=self.max_nodes,
        )

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
