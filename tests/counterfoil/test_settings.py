"""Settings: where they come from, which are refused, and that each is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from counterfoil.settings import BadSettings, Settings, read_settings, unknown_variables, variable

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
    monkeypatch.setenv("COUNTERFOIL_TRUSTED_PROXIES", "10.0.0.1,2001:DB8::1")
    settings = read_settings()
    assert settings.cors_origins == ("https://desk.example.com", "http://localhost:3000")
    assert settings.trusted_proxies == ("10.0.0.1", "2001:db8::1")


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
        ("COUNTERFOIL_TRUSTED_PROXIES", "*", "IPv4 or IPv6 address"),
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
