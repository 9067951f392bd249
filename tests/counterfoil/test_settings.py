"""Settings: where they come from, which are refused, and that each is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from counterfoil.settings import BadSettings, Settings, read_settings, unknown_variables, variable
from services.mail import Encryption

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_every_setting_is_documented_with_its_default_and_nothing_else_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    defaults = {
        variable(name): "none" if field.default in ((), None) else f"`{str(field.default).lower()}`"
        for name, field in Settings.model_fields.items()
    }
    assert dict(rows) == defaults
    assert len(rows) == len(defaults)


def test_without_variables_it_is_sqlite_on_this_machine_only() -> None:
    settings = read_settings()
    assert settings.on_sqlite
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.cors_origins == ()


def test_what_is_given_goes_before_the_environment_and_none_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_PORT", "9000")
    monkeypatch.setenv("COUNTERFOIL_HOST", "")
    assert read_settings(port=None).port == 9000
    assert read_settings(port=7000, host=None).port == 7000
    assert read_settings().host == "127.0.0.1"


def test_lists_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_CORS_ORIGINS", "https://desk.example.com, http://localhost:3000,")
    monkeypatch.setenv("COUNTERFOIL_TRUSTED_PROXIES", "10.0.0.1,2001:DB8::1, 10.0.0.0/8")
    settings = read_settings()
    assert settings.cors_origins == ("https://desk.example.com", "http://localhost:3000")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.1/32", "2001:db8::1/128", "10.0.0.0/8"]


def test_origins_are_listed_as_browsers_send_them() -> None:
    for written, sent in (
        ("https://Desk.Example.com", "https://desk.example.com"),
        ("HTTPS://desk.example.com:443", "https://desk.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://desk.example.com:08443", "https://desk.example.com:8443"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ):
        assert read_settings(cors_origins=written).cors_origins == (sent,), written


def test_only_trusted_documents_without_any_would_refuse_everything(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="ONLY_TRUSTED_DOCUMENTS needs COUNTERFOIL_TRUSTED_DOCUMENTS"):
        read_settings(only_trusted_documents=True)
    assert read_settings(only_trusted_documents=True, trusted_documents=tmp_path).only_trusted_documents


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://user:hidden@host/name", r"sqlite:/// or postgresql://"),
        ("DATABASE_URL", "sqlite://hidden.db", "sqlite:///relative.db"),
        ("DATABASE_URL", "sqlite:///:memory:", "memory"),
        ("DATABASE_URL", "postgresql://[::1/hidden", "IPv6"),
        ("DOCUMENTS_URL", "hidden", "file:///folder, s3://"),
        ("DOCUMENTS_URL", "https://hidden.example.com/bucket", "file:///folder, s3://"),
        ("DOCUMENTS_URL", "file://hidden/folder", "whole path"),
        ("COUNTERFOIL_MAX_UPLOAD", "2147483648", "less than 2147483648"),
        ("COUNTERFOIL_DOCUMENT_QUOTA", "0", "greater than or equal to 1"),
        ("COUNTERFOIL_PORT", "hidden", "valid integer"),
        ("COUNTERFOIL_PORT", "65536", "less than or equal to 65535"),
        ("COUNTERFOIL_WORKERS", "0", "greater than or equal to 1"),
        ("COUNTERFOIL_GRAPHIQL", "hidden", "valid boolean"),
        ("COUNTERFOIL_LOG_LEVEL", "hidden", "'debug', 'info', 'warning' or 'error'"),
        ("COUNTERFOIL_CORS_ORIGINS", "*", "Write origins such as"),
        ("COUNTERFOIL_CORS_ORIGINS", "https://desk.example.com/path", "Write origins such as"),
        *(
            ("COUNTERFOIL_CORS_ORIGINS", f"https://{hidden}", "Write origins such as")
            for hidden in (
                "ada:hidden@desk.example.com",
                "*.hidden.example.com",
                "hiddén.example.com",
                "hidden.example.com:",
                "hidden.example.com:0",
                "hidden.example.com:65536",
                "hidden.example.com?a",
                "hidden.example.com#a",
                "hidden example.com",
                "[hidden]",
                "[::1::2]",
                "",
            )
        ),
        ("COUNTERFOIL_CORS_ORIGINS", "ftp://hidden.example.com", "Write origins such as"),
        ("COUNTERFOIL_CORS_ORIGINS", "null", "Write origins such as"),
        ("COUNTERFOIL_TRUSTED_PROXIES", "*", "IPv4 or IPv6 address"),
        ("COUNTERFOIL_TRUSTED_PROXIES", "10.0.0.1,hidden.example.com", "IPv4 or IPv6 address"),
        ("COUNTERFOIL_TRUSTED_PROXIES", "10.0.0.1/8", "IPv4 or IPv6 address"),
        ("COUNTERFOIL_SMTP_URL", "hidden", "Write smtp://host"),
        ("COUNTERFOIL_SMTP_URL", "smtp://ada:hidden@host:none", "Write smtp://host"),
        ("COUNTERFOIL_SMTP_URL", "smtp://ada:hid/den@host", "Write smtp://host"),
        ("COUNTERFOIL_SMTP_URL", "http://ada:hidden@host", "Write smtp://host"),
        ("COUNTERFOIL_SMTP_URL", "smtp://hidden@host", "A user needs a password"),
        ("COUNTERFOIL_SMTP_STARTTLS", "hidden", "'required', 'offered' or 'off'"),
        ("COUNTERFOIL_SMTP_CA_FILE", "/hidden", "certificates in PEM format"),
        ("COUNTERFOIL_SMTP_TIMEOUT", "0", "greater than 0"),
        ("COUNTERFOIL_MAIL_SENDER", "hidden", "Write an email address"),
        ("COUNTERFOIL_MAIL_SENDER", "hiddén@example.com", "plain letters before the @"),
        ("COUNTERFOIL_PORTAL_URL", "hidden.example.com", "Write where the portal begins"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=rf"^{name}: .*{said}") as refusal:
        read_settings()
    assert "hidden" not in str(refusal.value)


def test_the_database_is_shown_without_password_and_options() -> None:
    settings = read_settings(database_url="postgresql://ada:hidden@db.example.com:5433/books?sslmode=require")
    assert settings.shown_database_url == "postgresql://ada@db.example.com:5433/books"
    assert "hidden" not in repr(settings)
    assert read_settings(database_url="sqlite:////srv/a.db").shown_database_url == "sqlite:////srv/a.db"


def test_misspelt_variables_are_found() -> None:
    environment = {"COUNTERFOIL_PROT": "1", "COUNTERFOIL_PORT": "1", "PATH": "", "DATABASE_URL": ""}
    assert unknown_variables(environment) == ["COUNTERFOIL_PROT"]


def test_the_sizes_of_the_pools_reach_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr("counterfoil.settings.connect", lambda *args, **sizes: given.append(sizes))
    read_settings(sqlite_readers=5, postgres_connections=7).database()
    assert given[-1] == {"readers": 5, "connections": 7, "checkpoints": True}


def test_documents_are_beside_the_sqlite_file_if_nothing_else_is_said(tmp_path: Path) -> None:
    beside = read_settings(database_url=f"sqlite:///{tmp_path}/my books.db").storage()
    assert beside.folder == tmp_path / "my books-documents"
    here = read_settings(database_url="postgresql://host/books").storage()
    assert here.folder == Path("counterfoil-documents").resolve()
    said = read_settings(documents_url=(tmp_path / "kept").as_uri(), max_upload=5, document_quota=7).storage()
    assert (said.folder, said.max_upload, said.quota) == (tmp_path / "kept", 5, 7)
    assert not beside.folder.exists()


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "gs://bucket", "az://container/prefix"])
def test_documents_may_be_in_a_bucket(url: str) -> None:
    storage = read_settings(documents_url=url).storage()
    assert (storage.url, storage.folder) == (url, None)


SERVER = {"mail_sender": "accounts@Bücher.example"}


@pytest.mark.parametrize(
    ("url", "starttls", "port", "encryption"),
    [
        ("smtp://mail.example.com", None, 587, Encryption.REQUIRED),
        ("smtp://mail.example.com:25", "offered", 25, Encryption.OFFERED),
        ("smtp://mail.example.com:25", "off", 25, Encryption.OFF),
        ("smtp://localhost:1025", None, 1025, Encryption.OFF),
        ("smtp://[::1]", "required", 587, Encryption.REQUIRED),
        ("smtps://mail.example.com", None, 465, Encryption.IMPLICIT),
    ],
)
def test_mail_is_encrypted_unless_the_server_is_here(
    url: str, starttls: str | None, port: int, encryption: Encryption
) -> None:
    smtp = read_settings(smtp_url=url, smtp_starttls=starttls, **SERVER).mail().smtp
    assert smtp is not None
    assert (smtp.port, smtp.encryption, smtp.user) == (port, encryption, None)


def test_user_and_password_of_the_mail_server_may_hold_any_letters() -> None:
    settings = read_settings(smtp_url="smtps://ada%40example.com:hid%2Fden%3A%25@mail.example.com", **SERVER)
    mail = settings.mail()
    assert mail.smtp is not None
    assert (mail.smtp.user, mail.smtp.password) == ("ada@example.com", "hid/den:%")
    assert mail.sender == "accounts@xn--bcher-kva.example"
    assert "hid" not in repr(settings) + repr(mail)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_url": "smtp://localhost"}, "COUNTERFOIL_SMTP_URL needs COUNTERFOIL_MAIL_SENDER"),
        ({"smtp_timeout": 30, "mail_lease": 59}, "COUNTERFOIL_MAIL_LEASE must be at least twice"),
        ({"smtp_url": "smtps://host", "smtp_starttls": "off", **SERVER}, "leave STARTTLS out"),
        ({"smtp_url": "smtp://ada:hidden@host", "smtp_starttls": "off", **SERVER}, "readable on its way"),
    ],
)
def test_settings_of_mail_that_do_not_go_together_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said) as refusal:
        read_settings(**given)
    assert "hidden" not in str(refusal.value)


def test_without_a_mail_server_messages_and_links_stay_on_this_machine(tmp_path: Path) -> None:
    mail = read_settings(database_url=f"sqlite:///{tmp_path}/my books.db", port=8001).mail()
    assert (mail.smtp, mail.maildir, mail.sender) == (None, tmp_path / "my books-mail", "counterfoil@localhost")
    assert mail.portal_url == "http://127.0.0.1:8001/portal"
    assert read_settings(smtp_url="smtp://localhost", **SERVER).mail().portal_url is None
    assert read_settings(portal_url="https://portal.example.com/").mail().portal_url == "https://portal.example.com"
